#!/usr/bin/env bash
# Stands where the Dapr CLI looks for daprd and becomes the real one, with what `dapr run -f` cannot say per app:
# the app's own tokens, the broker's password, and that nothing listens beyond loopback.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

app='' args=()
while (($#)); do
	case $1 in
	--app-id) app=$2 ;;
	--version) exec "$BIN/daprd" --version ;;
	# The CLI names a scheduler to every released daprd, and without one daprd never becomes ready.
	--scheduler-host-address | --placement-host-address)
		shift 2
		continue
		;;
	esac
	args+=("$1")
	shift
done
name=${ONEQ_INSTANCE:-$app}
umask 077
mkdir -p "$RUN/pids" "$RUN/logs"
cat "/proc/$$/environ" >"$RUN/pids/$name.daprd.environ"
printf '%s\0' "${args[@]}" >"$RUN/pids/$name.daprd.args"
note_pid "$name.daprd" $$

set -a
for file in "$RUN/env/$app.daprd.env" "$RUN/env/$app.daprd.override.env"; do
	# shellcheck source=/dev/null
	[[ ! -f $file ]] || . "$file"
done
set +a
args+=(--dapr-internal-grpc-listen-address 127.0.0.1 --metrics-listen-address 127.0.0.1)
if [[ -n ${ONEQ_LOG_FILES:-} ]]; then
	exec "$BIN/daprd" "${args[@]}" >>"$RUN/logs/$name.daprd.log" 2>&1
fi
exec "$BIN/daprd" "${args[@]}"
