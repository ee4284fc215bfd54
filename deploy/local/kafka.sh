#!/usr/bin/env bash
# Gets Apache Kafka into .run/kafka, where it is the broker: the artifacts of deploy/local/kafka/pom.xml, fetched once by
# Maven. Nothing to do for whoever names brokers of their own (KAFKA_BROKERS).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
needs kafka || exit 0
[[ -z ${KAFKA_BROKERS:-} ]] || exit 0
pom=$ROOT/deploy/local/kafka/pom.xml home=$ROOT/.run/kafka
[[ $(cat "$home/stamp" 2>/dev/null) != "$(cksum <"$pom")" ]] || exit 0
{ have java && have mvn; } || fail "Kafka needs java (17 or newer) and mvn; deploy/local/install.sh installs them, or name brokers of your own by KAFKA_BROKERS."
mkdir -p "$RUN"
rm -rf "$home.new"
progress "Fetching Kafka (only this once)" "$RUN/kafka.log" \
	mvn -q -B -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$home.new/libs"
cksum <"$pom" >"$home.new/stamp"
rm -rf "$home"
mv "$home.new" "$home"
