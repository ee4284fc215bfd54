# shellcheck shell=bash
# Apache Kafka: one node that is broker and controller (KRaft). Everybody, the controller's own port included, needs a
# password, which stands in files that their owner alone can read.
kafka_java() { # kafka_java MEGABYTES CLASS ARGUMENT…
	local memory=$1
	shift
	# Quick to start and small: two cores run all of this.
	exec java -Xmx"${memory}m" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.disable.jmx=true \
		-Dlog4j2.configurationFile="$RUN/data/kafka.log4j2.properties" -cp "$ROOT/.run/kafka/libs/*" "$@"
}

kafka_settings() {
	local login='org.apache.kafka.common.security.plain.PlainLoginModule required'
	local own users
	own="username=\"broker\" password=\"$(sed -n 's/^kafka_broker=//p' "$RUN/env/secrets")\""
	users="user_broker=\"$(sed -n 's/^kafka_broker=//p' "$RUN/env/secrets")\" user_oneqtour=\"$(sed -n 's/^kafka=//p' "$RUN/env/secrets")\""
	# An event that was acknowledged has left its service's outbox, so every write reaches the disk before it is. With
	# three brokers that would be replication.factor=3 and min.insync.replicas=2 instead.
	cat >"$RUN/data/kafka.properties" <<-CONF
		process.roles=broker,controller
		node.id=1
		controller.quorum.voters=1@127.0.0.1:$(port 9491)
		controller.listener.names=CONTROLLER
		inter.broker.listener.name=CLIENT
		listeners=CLIENT://127.0.0.1:$(port 9490),CONTROLLER://127.0.0.1:$(port 9491)
		advertised.listeners=CLIENT://127.0.0.1:$(port 9490)
		listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
		sasl.enabled.mechanisms=PLAIN
		sasl.mechanism.inter.broker.protocol=PLAIN
		sasl.mechanism.controller.protocol=PLAIN
		listener.name.client.plain.sasl.jaas.config=$login $own $users;
		listener.name.controller.plain.sasl.jaas.config=$login $own $users;
		log.dirs=$RUN/data/kafka
		log.flush.interval.messages=1
		log.retention.hours=168
		num.partitions=8
		offsets.topic.num.partitions=4
		offsets.topic.replication.factor=1
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		share.coordinator.state.topic.replication.factor=1
		share.coordinator.state.topic.min.isr=1
		group.initial.rebalance.delay.ms=0
	CONF
	cat >"$RUN/data/kafka.client.properties" <<-CONF
		security.protocol=SASL_PLAINTEXT
		sasl.mechanism=PLAIN
		sasl.jaas.config=$login username="oneqtour" password="$(sed -n 's/^kafka=//p' "$RUN/env/secrets")";
	CONF
	cat >"$RUN/data/kafka.log4j2.properties" <<-CONF
		rootLogger.level = WARN
		rootLogger.appenderRef.out.ref = out
		appender.out.type = Console
		appender.out.name = out
		appender.out.layout.type = PatternLayout
		appender.out.layout.pattern = %d %p %c{1}: %m%n
	CONF
}

start_kafka() {
	[[ -z ${KAFKA_BROKERS:-} ]] || return 0
	[[ -d $ROOT/.run/kafka/libs ]] || fail "Kafka is not there; deploy/local/kafka.sh fetches it."
	local data=$RUN/data/kafka
	kafka_settings
	if [[ ! -f $data/meta.properties ]]; then
		(kafka_java 128 kafka.tools.StorageTool format --cluster-id "$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | cut -c1-22)" \
			--config "$RUN/data/kafka.properties") >"$RUN/logs/kafka-format.log" 2>&1 ||
			fail "Kafka's folder cannot be made: $(tail -n 1 "$RUN/logs/kafka-format.log") (see $(short "$RUN/logs/kafka-format.log"))."
	fi
	start_process kafka "${BASH:-bash}" -c "$(declare -f kafka_java); RUN='$RUN' ROOT='$ROOT'; kafka_java 512 kafka.Kafka '$RUN/data/kafka.properties'"
	up kafka 150 port_open "$(port 9490)"
}
