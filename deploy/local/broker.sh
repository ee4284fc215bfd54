#!/usr/bin/env bash
# broker.sh unread [drained] – what the broker of this stack still has for its services: a line "APP TOPIC NUMBER" for
# each subscription, with the events that are not yet handled, those under way included. "drained" says only whether
# there is any, by its exit status.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
for file in "$ROOT"/deploy/local/servers/*.sh; do
	# shellcheck source=/dev/null
	. "$file"
done

unread_redis() {
	local cli address password app topic about
	cli=$(type -P redis-cli || type -P valkey-cli) || fail "redis-cli is missing: please install it."
	# shellcheck source=/dev/null
	{ read -r address; read -r password; } < <(. "$RUN/env/product.daprd.env" && printf '%s\n' "$REDIS_HOST" "$REDIS_PASSWORD")
	ask() { REDISCLI_AUTH=$password "$cli" -h "${address%:*}" -p "${address##*:}" --no-auth-warning "$@"; }
	ask PING >/dev/null || fail "the broker does not answer."
	subscriptions | while read -r app topic; do
		# Redis does not always know how many there are (nil): then it is asked whether there is one at all.
		about=$(ask XINFO GROUPS "$topic" </dev/null 2>/dev/null | awk -v app="$app" '
			odd {if (key == "name") on = ($0 == app); if (on) found[key] = $0}
			!odd {key = $0}
			{odd = !odd}
			END {print (found["pending"] + 0), (found["lag"] == "" ? "-" : found["lag"]), found["last-delivered-id"]}')
		read -r pending lag last <<<"$about"
		[[ $lag != - ]] || lag=$(ask XRANGE "$topic" "(${last:-0}" + COUNT 1000 </dev/null | grep -cE '^[0-9]+-[0-9]+$' || true)
		echo "$app $topic $((pending + lag))"
	done
}

unread_kafka() {
	[[ -d $ROOT/.run/kafka/libs ]] || fail "Kafka's tools are not there; deploy/local/kafka.sh fetches them."
	local address
	# shellcheck source=/dev/null
	address=$(. "$RUN/env/product.daprd.env" && echo "$KAFKA_BROKERS")
	# One line for each group, topic and partition; a partition of which a group has said nothing yet has its lag as "-".
	(kafka_java 128 org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --bootstrap-server "$address" --command-config "$RUN/data/kafka.client.properties" \
		--describe --all-groups 2>/dev/null) | awk -v all="$(subscriptions)" '
		BEGIN {n = split(all, pair, "\n")}
		$3 ~ /^[0-9]+$/ {left[$1 " " $2] += ($6 == "-" ? $5 : $6)}
		END {for (i = 1; i <= n; i++) print pair[i], left[pair[i]] + 0; if (!NR) exit 1}' || fail "Kafka does not say what is unread."
}

unread_rabbitmq() {
	local queues
	queues=$(rabbitmq_environment && "$(rabbitmq_program rabbitmqctl)" -q list_queues name messages --no-table-headers) ||
		fail "RabbitMQ does not say what is unread."
	subscriptions | awk -v all="$queues" '
		BEGIN {n = split(all, line, "\n"); for (i = 1; i <= n; i++) {split(line[i], q, "\t"); left[q[1]] = q[2]}}
		{print $1, $2, left[$1 "-" $2] + 0}'
}

case "${1:-} ${2:-}" in
'unread ') "unread_$BROKER" ;;
'unread drained') "unread_$BROKER" | awk '{n += $3} END {exit !NR || n > 0}' || exit ;;
*) fail "usage: broker.sh unread [drained]" ;;
esac
