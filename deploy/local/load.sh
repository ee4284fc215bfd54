#!/usr/bin/env bash
# load.sh [PRODUCTS [RESERVATIONS]] – brings the running system to so many products and reservations (10,000 and
# 100,000 by default) through its public API, as md-1, md-2 and up to 500 customers. What is there counts: cut short,
# it goes on where it ended.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
exec go run ./tests/load/cmd -front "http://127.0.0.1:$(app_port gateway appPort)" -issuer "http://127.0.0.1:$(port 8089)" \
	-products "${1:-10000}" -reservations "${2:-100000}"
