#!/usr/bin/env bash
# matrix.sh [BROKER+STATE…] [FLAGS of go test] – the tests of the whole system on other brokers and stores. Without
# pairs: so many that each broker and each store has its turn, and the switches of broker and store. A server that this
# machine cannot have is no failure; what was not run is named at the end.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
here=deploy/local
pairs=() missed=() failed=()
while [[ ${1:-} = *+* && ${1:-} != -* ]]; do
	pairs+=("$1")
	shift
done
whole=no
((${#pairs[@]})) || whole=yes pairs=(redis+redis redis+postgresql kafka+mysql rabbitmq+redis)
[[ $whole = no ]] || export ONEQ_TEST_LONG=yes # what make test has no time for

finish() { # whatever a test that was cut short has left running
	local stacks=(".run/test-switch:${ONEQ_TEST_PORT_OFFSET:-10000}") pair
	for pair in "${pairs[@]}"; do stacks+=(".run/test-${pair/+/-}:${ONEQ_TEST_PORT_OFFSET:-10000}"); done
	stop_stacks "${stacks[@]}"
}
trap finish EXIT

available() { # available PAIR – its servers are here, or can be installed
	BROKER=${1%+*} STATE=${1#*+} "$here/install.sh" --test && BROKER=${1%+*} "$here/kafka.sh"
}
"$here/dapr.sh"
export ONEQ_RACE=yes
"$here/build.sh"
unset ONEQ_RUN_DIR ONEQ_PORT_OFFSET BROKER STATE
for pair in "${pairs[@]}"; do
	say "== $pair"
	if ! (available "$pair"); then
		missed+=("$pair")
	elif ! ONEQ_TEST_BROKER=${pair%+*} ONEQ_TEST_STATE=${pair#*+} to_the_end go test -race -count=1 -timeout 30m "$@" ./tests/e2e; then
		failed+=("$pair")
	fi
done
if [[ $whole = yes ]]; then
	say "== from Redis to Kafka"
	if ! (available kafka+redis); then
		missed+=("the switch from Redis to Kafka")
	elif ! ONEQ_TEST_SWITCH_TO=kafka ONEQ_TEST_RUN_DIR=.run/test-switch to_the_end \
		go test -race -count=1 -timeout 20m -run TestI4_TheBrokerIsSwitchedUnderLoad ./tests/e2e; then
		failed+=("the switch of the broker")
	fi
	say "== the view from Redis to MySQL"
	if ! ONEQ_TEST_STORE_TO=mysql ONEQ_TEST_RUN_DIR=.run/test-switch to_the_end \
		go test -race -count=1 -timeout 20m -run TestI4_I7_TheStoreIsSwitchedByARebuild ./tests/e2e; then
		failed+=("the switch of the store")
	fi
fi
((${#missed[@]} == 0)) || printf 'Not run, for want of a server that the machine cannot have: %s.\n' "${missed[@]}"
((${#failed[@]} == 0)) || fail "failed on $(printf '%s, ' "${failed[@]}" | sed 's/, $//')."
