#!/usr/bin/env bash
# Builds every service of apps/ into .run/bin; with ONEQ_RACE=yes, with the race detector, into .run/bin-race.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
have go || fail "go is missing: please install Go 1.26 or newer."
version=$(cd / && go env GOVERSION)
[[ $version =~ ^go1\.(2[6-9]|[3-9][0-9]) ]] || fail "Go 1.26 or newer is needed, and this is $version."
cd "$ROOT"
packages=()
for main in apps/*/main.go; do packages+=("./$(dirname "$main")"); done
if [[ -n ${ONEQ_RACE:-} ]]; then
	say "Building ${#packages[@]} services with the race detector …"
	export CGO_ENABLED=1
	flags=(-race)
else
	say "Building ${#packages[@]} services …"
	export CGO_ENABLED=0
	flags=(-trimpath)
fi
mkdir -p "$APPS_BIN"
go build "${flags[@]}" -o "$APPS_BIN/" "${packages[@]}" || fail "the services do not compile; the compiler's words are above."
