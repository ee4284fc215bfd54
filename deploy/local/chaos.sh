#!/usr/bin/env bash
# chaos.sh – the whole system under load for ten minutes while its parts are killed, stopped, slowed and cut off, and
# an oracle judges. It starts a stack of its own in .run/chaos; the report is .run/chaos/report.json.
#   ONEQ_CHAOS_SEED      repeats the schedule of a run (default: by the clock)
#   ONEQ_CHAOS_DURATION  of the load (default here 10m)
#   ONEQ_RACE            services built with the race detector
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
here=deploy/local
"$here/install.sh"
"$here/dapr.sh"
"$here/build.sh"
unset ONEQ_RUN_DIR ONEQ_PORT_OFFSET
export ONEQ_CHAOS_DURATION=${ONEQ_CHAOS_DURATION:-10m}
trap 'stop_stacks "${ONEQ_TEST_RUN_DIR:-.run/chaos}:${ONEQ_TEST_PORT_OFFSET:-14000}"' EXIT
to_the_end go test -count=1 -v -timeout 30m ./tests/chaos/...
