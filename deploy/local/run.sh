#!/usr/bin/env bash
# run.sh – the whole system on this machine: tools, servers, services with their sidecars, demo data. Ctrl-C ends
# it; the data stays. ONEQ_SEED=no leaves the demo data out, ONEQ_BUILD=no takes the services as they were built.
# lib.sh says how to run a second stack beside the first.
given=${ONEQ_RUN_DIR:-}
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# The scripts know the processes of a stack by the run folder in their first environment; so must this one's be.
[[ $given = "$RUN" ]] || exec "$0" "$@"
cd "$ROOT"
here=deploy/local

running launcher && fail "a stack is already running in $(short "$RUN") (pid $(cat "$RUN/pids/launcher.pid")); 'make stop' ends it."
mkdir -p "$RUN/pids"
note_pid launcher $$

# step COMMAND… – in the background, since bash notices a signal only between two commands.
step() {
	"$@" &
	child=$!
	wait "$child" || exit
	child=
}
child='' cli=''

# Whatever happens, nothing is left running.
# shellcheck disable=SC2317 # called by the trap
finish() {
	local status=$?
	trap '' INT TERM HUP
	if [[ -n $child ]]; then
		kill -TERM "$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	fi
	[[ -z $cli ]] || disown "$cli"
	[[ $(echo "$RUN"/pids/*.pid) = "$RUN/pids/launcher.pid" ]] || say "Stopping …"
	"$here/stop.sh" --here || true
	exit "$status"
}
trap finish EXIT
trap 'say; exit 0' INT TERM HUP

# --- before anything takes long: can it work at all?
for tool in go awk sed setsid; do have "$tool" || fail "$tool is missing: please install it."; done
"$here/stop.sh" --here # what a launcher that was killed left behind
note_pid launcher $$

[[ -n ${MYSQL_HOST:-} ]] || free "$(port 3390)" MariaDB
[[ -n ${REDIS_HOST:-} ]] || ! needs redis || free "$(port 6390)" Redis
[[ -n ${KAFKA_BROKERS:-} ]] || ! needs kafka || for n in 9490 9491; do free "$(port $n)" Kafka; done
[[ -n ${RABBITMQ_HOST:-} ]] || ! needs rabbitmq || for n in 5690 5691 5692; do free "$(port $n)" RabbitMQ; done
[[ -n ${VIEW_POSTGRESQL_DSN:-} ]] || ! needs postgresql || free "$(port 5490)" PostgreSQL
free "$(port 8089)" "the issuer"
free "$(port 8099)" "the payment simulator"
for app in $(apps); do
	for key in appPort daprHTTPPort daprGRPCPort daprInternalGRPCPort metricsPort; do
		free "$(app_port "$app" $key)" "$app ($key)"
	done
done

names() { # of the servers that a broker and a store stand for, each once
	printf '%s\n' "$@" | sed -n 's/redis/Redis/p; s/kafka/Kafka/p; s/rabbitmq/RabbitMQ/p; s/postgresql/PostgreSQL/p' | uniq | paste -sd, | sed 's/,/, /'
}

# --- tools, services, servers
step "$here/install.sh"
step "$here/dapr.sh"
step "$here/kafka.sh"
[[ ${ONEQ_BUILD:-} = no ]] || step "$here/build.sh"
rm -rf "$RUN/logs.1"
[[ ! -d $RUN/logs ]] || mv "$RUN/logs" "$RUN/logs.1" # the logs of the start before this one are kept
mkdir -p "$RUN/logs"
rm -f "$RUN"/names.db*
say "Starting MariaDB, $(names "$BROKER" "$STATE"), the issuer and the payment simulator …"
step "$here/servers.sh" start

# --- the services, each with its sidecar
export DAPR_RUNTIME_PATH=$RUN/dapr ONEQ_LOG_FILES=yes
file=$("$here/runfile.sh")
say "Starting $(apps | xargs | sed 's/ /, /g'), each with its sidecar …"
"$BIN/dapr" run -f "$file" >"$RUN/logs/dapr.log" 2>&1 </dev/null &
cli=$!
note_pid cli "$cli"

ready() { # ready APP – the service and its sidecar
	answers "http://127.0.0.1:$(app_port "$1" appPort)/readyz" &&
		answers "http://127.0.0.1:$(app_port "$1" daprHTTPPort)/v1.0/healthz"
}
start=$SECONDS
for app in $(apps); do
	until ready "$app"; do
		for name in "$app" "$app.daprd"; do
			[[ ! -f $RUN/pids/$name.pid ]] || running "$name" || fail "$name ended while it was starting; see $(short "$RUN/logs/$name.log")."
		done
		running cli || fail "the Dapr CLI ended: $(tail -n 1 "$RUN/logs/dapr.log") (see $(short "$RUN/logs/dapr.log"))"
		((SECONDS - start < 90)) || fail "$app is not ready after 90 s; see $(short "$RUN/logs/$app.log") and $(short "$RUN/logs/$app.daprd.log")."
		sleep 0.3
	done
	say "  $app is ready ($((SECONDS - start)) s)"
done
[[ ${ONEQ_SEED:-} = no ]] || "$here/seed.sh" ||
	say "The demo data could not be stored; the system runs without it."

"$here/hello.sh"
wait "$cli" || true
fail "the Dapr CLI ended: $(tail -n 1 "$RUN/logs/dapr.log") (see $(short "$RUN/logs/dapr.log"))"
