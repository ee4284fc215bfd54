# shellcheck shell=bash
# What the scripts of this folder share: where things are, how they speak, how they treat processes.
#
#   ONEQ_RUN_DIR      folder of one stack: data, secrets, logs, pids (default .run in the repository)
#   ONEQ_PORT_OFFSET  added to every port, so that a second stack can run beside the first (default 0)
#   BROKER, STATE     the folders of components/pubsub and components/state (default: as before, at first redis)
set -eEuo pipefail
trap 'echo "oneqtour: ${0##*/}, line $LINENO: \"$BASH_COMMAND\" failed." >&2' ERR

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
OFFSET=${ONEQ_PORT_OFFSET:-0}
# Tools and services; all stacks of this repository share them.
BIN=$ROOT/.run/bin
# shellcheck disable=SC2034 # for the scripts that source this one
APPS_BIN=$BIN${ONEQ_RACE:+-race} # of the services alone
# A second stack is for tests: it must not write into servers that its owner named for the first.
((OFFSET == 0)) || unset MYSQL_HOST REDIS_HOST KAFKA_BROKERS RABBITMQ_HOST VIEW_POSTGRESQL_DSN
# Servers live in folders that an ordinary user's PATH may lack.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/libexec

say() { printf '%s\n' "$*"; }
fail() {
	printf 'oneqtour: %s\n' "$*" >&2
	exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }
port() { echo $(($1 + OFFSET)); }

# absolute PATH – a path below the repository or an absolute one, without //, . and ..; it need not exist (which
# realpath can do only where it is not busybox's).
absolute() {
	local parts part out=''
	IFS=/ read -ra parts <<<"$([[ $1 = /* ]] || echo "$ROOT/")$1"
	for part in "${parts[@]}"; do
		case $part in
		'' | .) ;;
		..) out=${out%/*} ;;
		*) out+=/$part ;;
		esac
	done
	echo "${out:-/}"
}

# own_folder FOLDER – things are replaced and removed in it, so it must be one that we made: below .run, marked by
# us, or empty, and then it is marked.
own_folder() {
	[[ $1/ != "$ROOT"/.run/* ]] || return 0
	[[ ! -e $1/.oneqtour ]] || return 0
	[[ ! -e $1 || (-d $1 && -z $(ls -A "$1")) ]] ||
		fail "ONEQ_RUN_DIR=$1 is not an empty folder and was not made by oneqtour: please name another one."
	mkdir -p "$1" && : >"$1/.oneqtour"
}
RUN=$(absolute "${ONEQ_RUN_DIR:-.run}")
for folder in / "$ROOT" "${HOME:-/}"; do
	[[ ! $RUN -ef $folder && $folder/ != "$RUN"/* ]] || fail "ONEQ_RUN_DIR=$RUN is no folder for a stack: please name one of its own."
done
own_folder "$RUN"
export ONEQ_RUN_DIR=$RUN BIN

# chosen WHAT – the broker or store that this stack had before, as env.sh noted it.
chosen() { sed -n "s/^$1=//p" "$RUN/env/choice" 2>/dev/null || true; }
BROKER=${BROKER:-$(chosen BROKER)} STATE=${STATE:-$(chosen STATE)}
export BROKER=${BROKER:-redis} STATE=${STATE:-redis}
for folder in "pubsub/$BROKER" "state/$STATE"; do
	[[ ${folder#*/} =~ ^[a-z]+$ && -d $ROOT/components/$folder ]] || fail "there is no components/$folder: please choose one of $(
		cd "$ROOT/components/${folder%%/*}" && echo ./*/ | tr -d './')."
done
# needs SERVER – is it one that this broker and this store need?
needs() { [[ $1 = "$BROKER" || $1 = "$STATE" ]]; }

short() { echo "${1#"$ROOT"/}"; } # a path as the reader would type it

# The app ids, and the value of one key of one app, as dapr.yaml has them.
apps() { awk '$1 == "-" && $2 == "appID:" {print $3}' "$ROOT/dapr.yaml"; }
app_port() { # app_port APP KEY
	port "$(awk -v app="$1" -v key="$2:" '$2 == "appID:" {on = ($3 == app)} on && $1 == key {print $2}' "$ROOT/dapr.yaml")"
}
# Every service has a database of its own, but for those that own no data.
apps_with_database() { apps | grep -vxE 'gateway|viewpage'; }

# The pairs "APP TOPIC" that the broker's component lets subscribe.
subscriptions() {
	sed -n '/name: subscriptionScopes/{n;s/.*value: *"\(.*\)"/\1/p;}' "$ROOT/components/pubsub/$BROKER/pubsub.yaml" |
		tr ';' '\n' | awk -F= '{n = split($2, topics, ","); for (i = 1; i <= n; i++) print $1, topics[i]}'
}

# start_process NAME COMMAND… – in a session of its own, so that a Ctrl-C in the terminal reaches only the
# launcher, which then stops everything in the right order.
start_process() {
	local name=$1
	shift
	setsid "$@" >>"$RUN/logs/$name.log" 2>&1 </dev/null &
	note_pid "$name" $!
}

note_pid() { # note_pid NAME PID – whole at once: somebody may be reading it, or noting the same
	local new=$RUN/pids/$1.pid.$2.$BASHPID
	echo "$2" >"$new"
	mv -f "$new" "$RUN/pids/$1.pid"
}

# running NAME – is NAME's pid a living process, and of this very stack? A number in an old file may
# belong to somebody else by now, so the process must carry our run folder in its environment.
running() {
	local pid var vars tries=0
	pid=$(cat "$RUN/pids/$1.pid" 2>/dev/null) && [[ -n $pid ]] || return 1
	while :; do
		vars=()
		{ mapfile -d '' -t vars <"/proc/$pid/environ"; } 2>/dev/null || true
		for var in "${vars[@]}"; do [[ $var != "ONEQ_RUN_DIR=$RUN" ]] || return 0; done
		# One that was killed is not dead before its last thread, which holds its ports.
		case $(awk '/^State:/ {dead = $2 ~ /[ZX]/} /^Threads:/ {print (!dead ? "alive" : ($2 > 1) ? "dying" : "dead")}' "/proc/$pid/status" 2>/dev/null || true) in
		dying) return 0 ;;
		alive) ;;
		*) return 1 ;;
		esac
		# With another environment it is somebody else's. With none it is just becoming another program, which takes no
		# time, or on a busy machine seconds.
		(((tries += ${#vars[@]} ? 25 : 1) < 50)) || return 1
		sleep 0.1
	done
}

# stop_processes SECONDS NAME… – one SIGTERM each, all at once, patience for SECONDS in all, then SIGKILL.
stop_processes() {
	local end=$((SECONDS + $1)) name
	shift
	for name; do ! running "$name" || kill -TERM "$(cat "$RUN/pids/$name.pid")" 2>/dev/null || true; done
	for name; do
		while running "$name"; do
			if ((SECONDS >= end)); then
				say "$name did not end in time and is killed."
				kill -KILL "$(cat "$RUN/pids/$name.pid")" 2>/dev/null || true
				end=$((SECONDS + 1))
			fi
			sleep 0.1
		done
		rm -f "$RUN/pids/$name.pid"
	done
}

# wait_for SECONDS COMMAND… – until the command succeeds; fails when the time is over.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}

# free PORT WHAT – fails when somebody listens on a port that is for WHAT.
free() {
	: "${listening:=$(awk 'FNR > 1 && $4 == "0A" {sub(/.*:/, "", $2); print $2}' /proc/net/tcp /proc/net/tcp6 2>/dev/null)}"
	grep -qx "$(printf %04X "$1")" <<<"$listening" || return 0
	local who
	who=$(ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1, pid \2/p' | head -n 1)
	fail "port $1, which is for $2, is taken${who:+ by $who}: please free it, or set ONEQ_PORT_OFFSET=1000 to move all ports."
}

answers() { curl -fsS -o /dev/null --max-time 2 "$1" 2>/dev/null; }

# to_the_end COMMAND… – in a group of its own, so that a signal to this script ends all of it. In the background, since
# bash notices a signal only between two commands.
to_the_end() {
	setsid "$@" </dev/null &
	step=$!
	# shellcheck disable=SC2064 # the number of now
	trap "kill -TERM -- -$step 2>/dev/null; wait $step; exit 143" INT TERM
	wait "$step"
	trap - INT TERM
}

# stop_stacks FOLDER:OFFSET… – whatever tests have left running; those that never ran are passed over.
stop_stacks() {
	local stack
	for stack; do
		[[ ! -d $ROOT/${stack%:*}/pids ]] || ONEQ_RUN_DIR=${stack%:*} ONEQ_PORT_OFFSET=${stack#*:} "$ROOT/deploy/local/stop.sh" >/dev/null 2>&1 || true
	done
}

# progress WHAT LOG COMMAND… – runs a long command with its output in LOG and says every 15 s that it still
# works. In the background, since bash notices a signal only between two commands.
progress() {
	local what=$1 log=$2 start=$SECONDS next=15 step
	shift 2
	say "$what …"
	setsid "$@" >"$log" 2>&1 </dev/null &
	step=$!
	# shellcheck disable=SC2064 # the number of now
	trap "kill -TERM -- -$step 2>/dev/null; exit 143" INT TERM
	while kill -0 "$step" 2>/dev/null; do
		if ((SECONDS - start >= next)); then
			say "  … $next s"
			next=$((next + 15))
		fi
		sleep 0.2
	done
	trap - INT TERM
	wait "$step" || {
		tail -n 15 "$log" >&2
		fail "$what failed; the whole output is in $(short "$log")."
	}
}
