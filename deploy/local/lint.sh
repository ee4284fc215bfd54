#!/usr/bin/env bash
# Formatting, golangci-lint at the pinned version (built once into .run/bin), and shellcheck where it is installed.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
mkdir -p "$BIN" "$RUN"

unformatted=$(gofmt -l apps tests deploy)
[[ -z $unformatted ]] || fail "not formatted by gofmt: $unformatted"

module=$ROOT/deploy/local/lint
stamp=$(find "$module" -type f -exec cat {} + | cksum)
if [[ ! -x $BIN/golangci-lint || $(cat "$BIN/golangci-lint.stamp" 2>/dev/null) != "$stamp" ]]; then
	progress "Building golangci-lint (only this once; some minutes)" "$RUN/build-golangci-lint.log" \
		env -C "$module" CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$BIN/golangci-lint" github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	echo "$stamp" >"$BIN/golangci-lint.stamp"
fi
"$BIN/golangci-lint" run ./...

if have shellcheck; then
	shellcheck -x -P SCRIPTDIR deploy/local/*.sh deploy/local/servers/*.sh .ci/run
else
	say "shellcheck is not installed; the scripts are not checked."
fi
