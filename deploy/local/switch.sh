#!/usr/bin/env bash
# switch.sh kafka|rabbitmq|redis – moves the running system to another broker, without losing an event and without
# stopping a service:
#   1. closed   No service may publish any more, by the component's own scopes. What is new waits in the outboxes.
#   2. drained  What the old broker has is handled by everybody, dead letters included.
#   3. moved    The sidecars get the new broker. The outboxes flow into it, and its groups begin with its oldest event.
# The new broker runs before any of that. Only sidecars are started again, one after the other. Where the old one does
# not drain (DRAIN_SECONDS, 600), it is opened again. What broke off in the middle is taken up by the same command, or
# undone by naming the broker that the stack still has.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
here=$ROOT/deploy/local
from=$BROKER to=${1:-}
[[ $to =~ ^[a-z]+$ && -d $ROOT/components/pubsub/$to ]] || fail "usage: switch.sh redis|kafka|rabbitmq"
[[ $to != "$from" || -d $RUN/closed ]] || fail "the broker is $to already."
running launcher || running cli || fail "nothing runs in $(short "$RUN"): 'make run BROKER=$from' first, so that it can drain."
# Every sidecar but the gateway's, which has no broker.
sidecars() { for file in "$RUN"/pids/*.daprd.args; do basename "$file" .args; done | grep -v '^gateway'; }

# lacking FOLDER – those that do not have FOLDER for their broker's component.
lacking() { for name in $(sidecars); do grep -zqxF "$1" "$RUN/pids/$name.args" || echo "$name"; done; }

# take FOLDER – every other sidecar again, with FOLDER for its broker's component.
take() {
	local name args
	for name in $(lacking "$1"); do
		args=$RUN/pids/$name.args
		sed -z "s#^.*/pubsub/[a-z]*\$#$1#" "$args" >"$args.new"
		grep -zqxF "$1" "$args.new" || fail "$name was started without a folder of components/pubsub."
		mv "$args.new" "$args"
		"$here/restart.sh" "$name" >/dev/null
		say "  $name"
	done
}

# components FOLDER – as this stack runs them.
components() { if [[ -d $RUN/components/pubsub/$1 ]]; then echo "$RUN/components/pubsub/$1"; else echo "$ROOT/components/pubsub/$1"; fi; }

if [[ $to = "$from" ]]; then
	say "Taking up what broke off: everybody to $to …"
	take "$(components "$to")"
	rm -rf "$RUN/closed"
	exit
fi
BROKER=$to "$here/install.sh"
BROKER=$to "$here/kafka.sh"
say "Starting $to …"
SWITCH_FROM=$from BROKER=$to "$here/servers.sh" start "$to"

closed=$RUN/closed/pubsub/$from
rm -rf "$RUN/closed"
mkdir -p "$closed"
# Of the topics that an app may publish only its dead letters stay.
awk '
	scopes {
		n = split($0, part, "\""); m = split(part[2], app, ";"); list = ""
		for (i = 1; i <= m; i++) {
			split(app[i], pair, "="); k = split(pair[2], topic, ","); kept = ""
			for (j = 1; j <= k; j++) if (topic[j] ~ /^dead-/) kept = kept (kept == "" ? "" : ",") topic[j]
			list = list (list == "" ? "" : ";") pair[1] "=" kept
		}
		$0 = part[1] "\"" list "\"" part[3]
	}
	{scopes = /name: publishingScopes/; print}
' "$(components "$from")/pubsub.yaml" >"$closed/pubsub.yaml"
grep -qE '"product=dead-product;.*"' "$closed/pubsub.yaml" || fail "publishingScopes in $(components "$from")/pubsub.yaml are not what this script can close."

say "Closing $from for what is new …"
take "$closed"
say "Waiting until $from has nothing left …"
drained() { # and nobody, a replica that has come meanwhile, publishes to it any more
	take "$closed"
	"$here/broker.sh" unread drained && sleep 1 && "$here/broker.sh" unread drained && [[ -z $(lacking "$closed") ]]
}
if ! wait_for "${DRAIN_SECONDS:-600}" drained; then
	"$here/broker.sh" unread | awk '$3 > 0 {print "  " $1 " has not handled " $3 " of " $2}'
	take "$(components "$from")"
	rm -rf "$RUN/closed"
	fail "$from did not drain; it is open again, and nothing was changed."
fi

say "Moving to $to …"
printf '%s\n' "BROKER=$to" "STATE=$STATE" >"$RUN/env/choice.new"
mv "$RUN/env/choice.new" "$RUN/env/choice"
export BROKER=$to
"$here/env.sh"
take "$(components "$to")"
rm -rf "$RUN/closed"
needs "$from" || "$here/servers.sh" stop "$from"
say "The system is on $to, which 'make run' takes from now on."
