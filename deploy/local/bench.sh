#!/usr/bin/env bash
# bench.sh – what the whole system can do on this machine, in one run of about five minutes. It starts a stack of its
# own in .run/bench; the result is .run/bench/latest.json. Nothing else should run meanwhile.
#   SAVE=1        also writes the result and its plot into tests/bench/results
#   PROFILE=1     CPU profiles of the services under the sustained load, in .run/bench/profiles
#   FILL=full     10,000 products and 100,000 reservations before the board is read; FILL=n: n products
#   SUSTAINED=n   seconds of the sustained load (60)
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
here=deploy/local
"$here/install.sh"
"$here/dapr.sh"
unset ONEQ_RACE
"$here/build.sh"
unset ONEQ_RUN_DIR ONEQ_PORT_OFFSET
export ONEQ_TEST_RUN_DIR=${ONEQ_TEST_RUN_DIR:-.run/bench} ONEQ_TEST_PORT_OFFSET=${ONEQ_TEST_PORT_OFFSET:-12000}
go build -o "$BIN/bench" ./tests/bench
trap 'stop_stacks "$ONEQ_TEST_RUN_DIR:$ONEQ_TEST_PORT_OFFSET"' EXIT
to_the_end "$BIN/bench"
