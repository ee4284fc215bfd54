#!/usr/bin/env bash
# Stops the stack of $ONEQ_RUN_DIR. A launcher that is alive is told to do it; what a launcher that was killed
# left behind is stopped from here. (The launcher itself calls this with --here.)
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

if running launcher && [[ ${1:-} != --here ]]; then
	kill -TERM "$(cat "$RUN/pids/launcher.pid")"
	wait_for 90 eval '! running launcher' || fail "the launcher (pid $(cat "$RUN/pids/launcher.pid")) does not end."
	exit
fi

named() { # named PATTERN [BUT] – the names of the pid files that match
	local file
	for file in "$RUN"/pids/*.pid; do basename "$file" .pid; done | { grep -xE "$1" || true; } | { grep -vxE "${2:-}" || true; }
}
others='mariadb|redis|kafka|rabbitmq|epmd|postgresql|issuer|paymentsim|launcher|cli|.*[.]daprd'
end=$((SECONDS + 12))
left() { echo $((end > SECONDS ? end - SECONDS : 1)); }

# The CLI goes first and at once: it would start further services, or end the running ones without mercy.
if running cli; then
	kill -KILL "$(cat "$RUN/pids/cli.pid")"
	sleep 0.3 # whoever it has just started notes its own pid
fi

# From the front to the back, so that whoever waits for an answer still gets it; 12 s for all together.
for group in 'gateway.*' 'reservation.*' '.*'; do
	mapfile -t names < <(named "$group" "$others")
	stop_processes "$(left)" "${names[@]}"
done
mapfile -t names < <(named '.*[.]daprd')
stop_processes 10 "${names[@]}"
"$(dirname "$0")/servers.sh" stop
rm -f "$RUN"/pids/*
