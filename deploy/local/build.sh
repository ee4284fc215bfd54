#!/usr/bin/env bash
# Builds every service of apps/ into .run/bin.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
have go || fail "go is missing: please install Go 1.26 or newer."
version=$(cd / && go env GOVERSION)
[[ $version =~ ^go1\.(2[6-9]|[3-9][0-9]) ]] || fail "Go 1.26 or newer is needed, and this is $version."
mkdir -p "$BIN"
cd "$ROOT"
packages=()
for main in apps/*/main.go; do packages+=("./$(dirname "$main")"); done
say "Building ${#packages[@]} services …"
CGO_ENABLED=0 go build -trimpath -o "$BIN/" "${packages[@]}" || fail "the services do not compile; the compiler's words are above."
