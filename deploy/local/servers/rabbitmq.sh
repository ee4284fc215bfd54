# shellcheck shell=bash
# RabbitMQ, a node of its own beside any that the machine has: own name, ports, cookie and data, and its own epmd, by
# which Erlang nodes find each other.

rabbitmq_environment() {
	local data=$RUN/data/rabbitmq
	mkdir -p "$data"
	# The first line of defence of a node; HOME is where Erlang looks for it.
	[[ -f $data/.erlang.cookie ]] || install -m 400 <(sed -n 's/^rabbitmq_cookie=//p' "$RUN/env/secrets") "$data/.erlang.cookie"
	export HOME=$data ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT RABBITMQ_NODENAME RABBITMQ_DIST_PORT RABBITMQ_NODE_PORT
	ERL_EPMD_PORT=$(port 5692) RABBITMQ_DIST_PORT=$(port 5691) RABBITMQ_NODE_PORT=$(port 5690)
	RABBITMQ_NODENAME=oneqtour$RABBITMQ_NODE_PORT@localhost
	export RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_CONFIG_FILE=$RUN/data/rabbitmq.conf RABBITMQ_BASE=$data \
		RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_MNESIA_BASE=$data/mnesia RABBITMQ_LOG_BASE=$data/log RABBITMQ_LOGS=- \
		RABBITMQ_PID_FILE=$data/pid RABBITMQ_ENABLED_PLUGINS_FILE=$data/enabled_plugins RABBITMQ_SCHEMA_DIR=$data/schema \
		RABBITMQ_GENERATED_CONFIG_DIR=$data/config RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false"
}

# Debian's /usr/sbin/rabbitmq-server changes to a user of the system's; what it calls does not.
rabbitmq_program() { type -P "/usr/lib/rabbitmq/bin/$1" || type -P "$1"; }

# What is published before a subscriber was there for the first time would go nowhere, since it is the subscriber who
# makes his queue. So every queue is made before anybody can publish, exactly as the Dapr component declares it.
rabbitmq_queues() {
	subscriptions | awk '
		{
			queues = queues sep "{\"name\":\"" $1 "-" $2 "\",\"vhost\":\"/\",\"durable\":true,\"auto_delete\":false,\"arguments\":{\"x-queue-type\":\"classic\"}}"
			bindings = bindings sep "{\"source\":\"" $2 "\",\"vhost\":\"/\",\"destination\":\"" $1 "-" $2 "\",\"destination_type\":\"queue\",\"routing_key\":\"\",\"arguments\":{}}"
			if (!seen[$2]++) {
				exchanges = exchanges comma "{\"name\":\"" $2 "\",\"vhost\":\"/\",\"type\":\"fanout\",\"durable\":true,\"auto_delete\":false,\"internal\":false,\"arguments\":{}}"
				comma = ","
			}
			sep = ","
		}
		END {print "{\"exchanges\":[" exchanges "],\"queues\":[" queues "],\"bindings\":[" bindings "]}"}'
}

start_rabbitmq() {
	[[ -z ${RABBITMQ_HOST:-} ]] || return 0
	local server data=$RUN/data/rabbitmq epmd
	server=$(rabbitmq_program rabbitmq-server) || fail "rabbitmq-server is not installed; deploy/local/install.sh does it."
	epmd=$(type -P epmd || type -P "$(printf '%s\n' /usr/lib/erlang/erts-*/bin/epmd | tail -n 1)") || fail "epmd, a part of Erlang, is missing."
	# The user is made when the data is; later its password is the one of then, and secrets are kept.
	cat >"$RUN/data/rabbitmq.conf" <<-CONF
		listeners.tcp.1 = 127.0.0.1:$(port 5690)
		default_user = oneqtour
		default_pass = $(sed -n 's/^rabbitmq=//p' "$RUN/env/secrets")
		log.console = true
		log.console.level = warning
		vm_memory_high_watermark.absolute = 512MB
		disk_free_limit.absolute = 200MB
	CONF
	( # what the node is told stays in here
		rabbitmq_environment
		rm -f "$data/pid"
		if ! running epmd; then
			start_process epmd "$epmd" -address 127.0.0.1 -port "$ERL_EPMD_PORT"
			up epmd 10 port_open "$ERL_EPMD_PORT"
		fi
		start_process rabbitmq "$server"
	)
	up rabbitmq 150 port_open "$(port 5690)"
	# That was the script around it; the node itself is what is stopped, paused or killed.
	note_pid rabbitmq "$(cat "$data/pid")"
	rabbitmq_queues >"$RUN/data/rabbitmq.queues.json"
	(rabbitmq_environment && "$(rabbitmq_program rabbitmqctl)" -q import_definitions "$RUN/data/rabbitmq.queues.json") \
		>"$RUN/logs/rabbitmq-queues.log" 2>&1 || fail "RabbitMQ does not take the queues: $(tail -n 1 "$RUN/logs/rabbitmq-queues.log")"
}
