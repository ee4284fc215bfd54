#!/usr/bin/env bash
# go vet, then every test with the race detector. What the tests of single packages need is started here, in a run
# folder of its own: a MariaDB (ONEQ_TEST_DSN_ADMIN), and the pinned daprd by name (ONEQ_DAPRD). Tests of the whole
# system start their own stack by run.sh, in .run/test at port offset 10000.
[[ -n ${ONEQ_RUN_DIR:-} ]] || export ONEQ_RUN_DIR=.run/unit ONEQ_PORT_OFFSET=20000
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
here=deploy/local
"$here/install.sh"
"$here/dapr.sh"
"$here/build.sh"
trap 'ONEQ_RUN_DIR=$RUN "$here/stop.sh" --here' EXIT
"$here/servers.sh" start mariadb

ONEQ_TEST_DSN_ADMIN=$(sed -n "s/^ONEQ_MYSQL_ADMIN_DSN='\(.*\)'$/\1/p" "$RUN/env/servers.env")
export ONEQ_TEST_DSN_ADMIN ONEQ_DAPRD=$BIN/daprd
unset ONEQ_RUN_DIR ONEQ_PORT_OFFSET
go vet ./...
go test -race -p 2 -count=1 ./...
