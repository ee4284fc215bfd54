#!/usr/bin/env bash
# Gets Dapr into .run/bin: an installed official one if its version suits, else the pinned versions of
# deploy/local/dapr, built once. The build takes about four minutes on two cores.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
mkdir -p "$BIN" "$RUN"

# The daemon must be 1.18 (the resiliency and bulk rules were proven on it) and must know the name
# resolution of components/common, which is not in every build: its package path is in the binary.
installed_daprd() {
	local file=${HOME:-/}/.dapr/bin/daprd
	[[ $("$file" --version 2>/dev/null) == 1.18.* ]] &&
		grep -aq components-contrib/nameresolution/sqlite "$file" && echo "$file"
}

installed_cli() {
	local file version
	file=$(type -P dapr) || return 1
	version=$("$file" --version 2>/dev/null | sed -n 's/^CLI version: *1\.\([0-9]*\)\..*/\1/p')
	[[ -n $version ]] && ((version >= 16)) && echo "$file"
}

# tool NAME MODULE BUILD… – builds NAME when it is missing or its module has changed since.
tool() {
	local name=$1 module=$ROOT/deploy/local/dapr/$2 stamp
	shift 2
	stamp=$(find "$module" -type f -exec cat {} + | cksum)
	[[ -x $BIN/$name && $(cat "$BIN/$name.stamp" 2>/dev/null) == "$stamp" ]] && return
	progress "Building $name (only this once; some minutes)" "$RUN/build-$name.log" \
		env -C "$module" CGO_ENABLED=0 go build -trimpath -o "$BIN/$name.new" "$@"
	mv -f "$BIN/$name.new" "$BIN/$name"
	echo "$stamp" >"$BIN/$name.stamp"
}

if file=$(installed_daprd); then
	ln -sfn "$file" "$BIN/daprd"
	rm -f "$BIN/daprd.stamp"
else
	# No version is stamped into it: the CLI would take that as a reason to demand a scheduler.
	tool daprd runtime -tags stablecomponents -ldflags '-s -w' .
fi
if file=$(installed_cli); then
	ln -sfn "$file" "$BIN/dapr"
	rm -f "$BIN/dapr.stamp"
else
	tool dapr cli -ldflags '-s -w -X main.version=1.16.5' github.com/dapr/cli
fi
