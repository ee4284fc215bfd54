#!/usr/bin/env bash
# app.sh APP – becomes the service APP (dapr.yaml starts it so): loads the settings that env.sh wrote for it,
# notes its pid and the environment that the Dapr CLI gave it, so that restart.sh can start it again.
# Without such settings, as with servers and secrets of your own, the environment is taken as it is; and so are the
# tokens when the sidecar is a plain daprd, which has them from the environment, and not daprd.sh.
# ONEQ_INSTANCE names a second replica of an app, which has a pid file and a log of its own.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
app=$1 name=${ONEQ_INSTANCE:-$1}
umask 077
mkdir -p "$RUN/pids" "$RUN/logs"
cat "/proc/$$/environ" >"$RUN/pids/$name.environ.$$"
mv "$RUN/pids/$name.environ.$$" "$RUN/pids/$name.environ" # at once: somebody may be reading the old one
[[ ${DAPR_RUNTIME_PATH:-} = "$RUN/dapr" ]] || plain=("APP_API_TOKEN=${APP_API_TOKEN:-}" "DAPR_API_TOKEN=${DAPR_API_TOKEN:-}")
set -a
for file in "$RUN/env/$app.env" "$RUN/env/$app.override.env"; do
	# shellcheck source=/dev/null
	[[ ! -f $file ]] || . "$file"
done
set +a
[[ -z ${plain:-} ]] || export "${plain[@]}"
[[ -x $APPS_BIN/$app ]] || fail "$app is not built; 'make build' does it."
note_pid "$name" $$
if [[ -n ${ONEQ_LOG_FILES:-} ]]; then
	exec "$APPS_BIN/$app" >>"$RUN/logs/$name.log" 2>&1
fi
exec "$APPS_BIN/$app"
