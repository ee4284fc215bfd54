#!/usr/bin/env bash
# restart.sh APP|APP.daprd|mariadb|redis [sidecar] – ends one (SIGTERM) and starts it again as it was started first. Its
# sidecar is left alone, unless it is dead or the second word is given; of APP.daprd nothing but the sidecar is
# started again. APP-2 is a replica that scale.sh has started. ONEQ_… variables of the caller win over the old ones.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
name=${1:-}
[[ -n $name ]] || fail "which one? 'make restart APP=reservation', for instance."
if [[ $name =~ ^(mariadb|redis)$ ]]; then
	running "$name" || fail "no $name of ours runs in $(short "$RUN")."
	"$(dirname "$0")/servers.sh" stop "$name"
	"$(dirname "$0")/servers.sh" start "$name"
	say "$name runs again (pid $(cat "$RUN/pids/$name.pid")); what the services could not do meanwhile they do now."
	exit
fi
[[ -f $RUN/pids/$name.environ ]] || fail "no $name was started in $(short "$RUN")."

again() { # again NAME COMMAND… – starts NAME with the environment of its first start
	local name=$1
	shift
	( # Set one by one and not by env(1), whose arguments everybody on this machine may read.
		mapfile -d '' -t old <"$RUN/pids/$name.environ"
		mapfile -d '' -t new < <(env -0 | grep -z '^ONEQ_' || true)
		mapfile -t names < <(compgen -e)
		unset -v "${names[@]}"
		for pair in "${old[@]}" "${new[@]}"; do
			[[ $pair =~ ^[A-Za-z_][A-Za-z_0-9]*= && ! ${pair%%=*} =~ ^(BASHOPTS|BASH_VERSINFO|EUID|PPID|SHELLOPTS|UID)$ ]] || continue
			# shellcheck disable=SC2163 # a name and its value
			export "$pair" # what bash cannot hold it did not give to the first start either
		done
		start_process "$name" "$@"
	)
}
was() { tr '\0' '\n' <"$RUN/pids/$name.environ" | sed -n "s/^$1=//p"; } # was VARIABLE

sidecar_again() { # sidecar_again APP
	stop_processes 10 "$1.daprd"
	mapfile -d '' -t args <"$RUN/pids/$1.daprd.args"
	again "$1.daprd" "$ROOT/deploy/local/daprd.sh" "${args[@]}"
}
healthy() { # healthy NAME DAPR_PORT – its sidecar; one that found its broker or store away has ended, and is started again
	answers "http://127.0.0.1:$2/v1.0/healthz" && return
	running "$1.daprd" || { sleep 1 && sidecar_again "$1"; }
	return 1
}
found_ready() { # found_ready METRICS_PORT – how often a sidecar has found its service ready
	curl -fsS --max-time 2 "http://127.0.0.1:$1" 2>/dev/null |
		awk '/^dapr_http_healthprobes_completed_count.*status="200"/ {n = $2} END {print n + 0}' || true
}
found_ready_again() { (($(found_ready "$1") > $2)); } # found_ready_again METRICS_PORT BEFORE
reachable() { # reachable APP DAPR_PORT METRICS_PORT – the sidecar, and the service through the gateway's
	wait_for 30 healthy "$name" "$2" || fail "the sidecar of $name is not ready; see $(short "$RUN/logs/$name.daprd.log")."
	# Its sidecar lets calls and events through only when its own next look has found the service ready.
	wait_for 30 found_ready_again "$3" "$(found_ready "$3")" || fail "the sidecar of $name does not find it ready; see $(short "$RUN/logs/$name.daprd.log")."
	# Which of several replicas answers is chance, so this says no more than that the name is known.
	wait_for 30 answers "http://127.0.0.1:$(app_port gateway daprHTTPPort)/v1.0/invoke/$1/method/healthz" ||
		fail "$name is ready, but calls do not reach it; see $(short "$RUN/logs/$name.daprd.log")."
}

cd "$ROOT"
if [[ $name = *.daprd ]]; then
	name=${name%.daprd}
	sidecar_again "$name"
	reachable "$(was APP_ID)" "$(was DAPR_HTTP_PORT)" "$(was DAPR_METRICS_PORT)"
	say "The sidecar of $name runs again (pid $(cat "$RUN/pids/$name.daprd.pid"))."
	exit
fi
stop_processes 15 "$name"
if [[ -f $RUN/pids/$name.daprd.environ ]] && { [[ ${2:-} = sidecar ]] || ! running "$name.daprd"; }; then
	sidecar_again "$name"
fi
# Read before the start: the new process writes this file anew.
app=$(was APP_ID) port=$(was APP_PORT) dapr_port=$(was DAPR_HTTP_PORT) metrics_port=$(was DAPR_METRICS_PORT)
again "$name" "$ROOT/deploy/local/app.sh" "${app:-$name}"

# The issuer and the payment simulator have no sidecar and no /readyz.
check=readyz
[[ -n $app ]] || port=$(sed -n "s/^APP_PORT='\(.*\)'/\1/p" "$RUN/env/$name.env") check=healthz
wait_for 60 answers "http://127.0.0.1:$port/$check" || fail "$name is not ready after 60 s; see $(short "$RUN/logs/$name.log")."
[[ -z $dapr_port ]] || reachable "$app" "$dapr_port" "$metrics_port"
say "$name runs again (pid $(cat "$RUN/pids/$name.pid"))."
