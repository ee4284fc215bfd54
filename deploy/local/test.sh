#!/usr/bin/env bash
# test.sh [-short] – go vet, then every test with the race detector; the services that are tested as a whole are built
# with it, too. What the tests of single packages need is started here, in a run folder of its own: a MariaDB
# (ONEQ_TEST_DSN_ADMIN), and the pinned daprd by name (ONEQ_DAPRD). Tests of the whole system start their own stack by
# run.sh, in .run/test at port offset 10000 (ONEQ_TEST_RUN_DIR, ONEQ_TEST_PORT_OFFSET): all of them on Redis, the main
# journeys on Kafka with MySQL as well; matrix.sh has the rest.
[[ -n ${ONEQ_RUN_DIR:-} ]] || export ONEQ_RUN_DIR=.run/unit ONEQ_PORT_OFFSET=20000
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
here=deploy/local
"$here/install.sh" --test
"$here/dapr.sh"
"$here/build.sh"
ONEQ_RACE=yes "$here/build.sh" # for the stack that the tests start
finish() { # whatever a test that was cut short has left running, too
	ONEQ_RUN_DIR=$RUN "$here/stop.sh" --here || true
	local at=${ONEQ_TEST_PORT_OFFSET:-} dir stacks
	stacks=(".run/test:${at:-10000}" ".run/test-kafka-mysql:${at:-10000}" ".run/chaos:${at:-14000}" ".run/bench-smoke:${at:-12000}")
	[[ -z ${ONEQ_TEST_RUN_DIR:-} ]] || stacks+=("${ONEQ_TEST_RUN_DIR#"$ROOT"/}:${ONEQ_TEST_PORT_OFFSET:-10000}")
	for dir in "$ROOT"/.run/launcher*; do stacks+=("${dir#"$ROOT"/}:$((${ONEQ_TEST_PORT_OFFSET:-10000} + 500))"); done
	stop_stacks "${stacks[@]}"
}
trap finish EXIT
"$here/servers.sh" start mariadb

ONEQ_TEST_DSN_ADMIN=$(sed -n "s/^ONEQ_MYSQL_ADMIN_DSN='\(.*\)'$/\1/p" "$RUN/env/admin.env")
export ONEQ_TEST_DSN_ADMIN ONEQ_DAPRD=$BIN/daprd
unset ONEQ_RUN_DIR ONEQ_PORT_OFFSET
go vet ./...
# The whole system last and alone: beside other tests it would compete for two cores.
mapfile -t packages < <(go list ./... | grep -vE "/tests/(e2e|chaos|bench)\$")
to_the_end go test -race -p 4 -count=1 "$@" "${packages[@]}"
export ONEQ_RACE=yes
to_the_end go test -race -count=1 -timeout 20m "$@" ./tests/e2e
to_the_end go test -race -count=1 -timeout 20m "$@" ./tests/chaos
to_the_end go test -race -count=1 -timeout 5m "$@" ./tests/bench
# A folder that was named for the tests above holds their events.
env -u ONEQ_TEST_RUN_DIR "$here/matrix.sh" kafka+mysql -short -run '^Test(F[0-9]|I4_)'
