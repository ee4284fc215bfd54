#!/usr/bin/env bash
# scale.sh APP N – N replicas of one service, each with its own sidecar: APP, which dapr.yaml has started, and APP-2,
# APP-3 … on ports 10, 20 … further. Whichever of them run are left alone; those beyond N are ended in order.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
umask 077
most=10 # a hundred ports lie between those of one kind and those of the next
app=${1:-} n=${2:-}
[[ -n $app && $n =~ ^[1-9][0-9]?$ && $n -le $most ]] ||
	fail "which one, and how many (1 to $most)? 'make scale APP=reservation N=3', for instance."
apps | grep -qxF "$app" || fail "there is no service $app."
[[ -f $RUN/pids/$app.environ && -f $RUN/pids/$app.daprd.args ]] || fail "no $app was started in $(short "$RUN")."

# like_the_first NAME PORTS – notes for restart.sh what to start NAME by: as the first replica was started, so many
# ports further.
like_the_first() {
	local name=$1 ports=$2 file pair args i
	for file in environ daprd.environ; do
		while IFS= read -r -d '' pair; do
			case $pair in
			ONEQ_INSTANCE=*) continue ;;
			APP_PORT=* | DAPR_HTTP_PORT=* | DAPR_GRPC_PORT=* | DAPR_METRICS_PORT=*) pair=${pair%%=*}=$((${pair#*=} + ports)) ;;
			esac
			printf '%s\0' "$pair"
		done <"$RUN/pids/$app.$file" >"$RUN/pids/$name.$file"
		printf 'ONEQ_INSTANCE=%s\0' "$name" >>"$RUN/pids/$name.$file"
	done
	mapfile -d '' -t args <"$RUN/pids/$app.daprd.args"
	for ((i = 0; i + 1 < ${#args[@]}; i++)); do
		case ${args[i]} in
		--app-port | --dapr-http-port | --dapr-grpc-port | --dapr-internal-grpc-port | --metrics-port)
			args[i + 1]=$((args[i + 1] + ports))
			running "$name" || running "$name.daprd" || free "${args[i + 1]}" "$name (${args[i]#--})"
			;;
		esac
	done
	printf '%s\0' "${args[@]}" >"$RUN/pids/$name.daprd.args"
}

fewer=() starting=()
for ((i = 2; i <= most; i++)); do
	name=$app-$i
	if ((i > n)); then
		[[ ! -f $RUN/pids/$name.environ ]] || fewer+=("$name")
	elif ! running "$name" || ! running "$name.daprd"; then
		like_the_first "$name" $(((i - 1) * 10))
		"$ROOT/deploy/local/restart.sh" "$name" sidecar >/dev/null &
		starting+=($!)
	fi
done

# As stop.sh does it: the service finishes what it has begun while its sidecar can still be asked.
stop_processes 15 "${fewer[@]}"
stop_processes 10 "${fewer[@]/%/.daprd}"
for name in "${fewer[@]}"; do rm -f "$RUN/pids/$name."{environ,daprd.environ,daprd.args}; done

failed=
for pid in "${starting[@]}"; do wait "$pid" || failed=yes; done
[[ -z $failed ]] || fail "not all replicas of $app are ready; 'make scale APP=$app N=1' ends them."
say "$app: $n running."
