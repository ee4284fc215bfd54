#!/usr/bin/env bash
# Installs by the system's package manager what the local stack needs and the machine lacks: MariaDB (or
# MySQL), the broker and the view's store that were chosen (Redis or Valkey, RabbitMQ, PostgreSQL; for Kafka Java and
# Maven) and curl; with --test also a C compiler, for the race detector. Servers that the environment names
# (MYSQL_HOST, REDIS_HOST …) are not installed. Nothing that is installed here starts by itself: the stack runs
# servers of its own.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

for_tests=no
[[ ${1:-} != --test ]] || for_tests=yes

missing() {
	if [[ -z ${MYSQL_HOST:-} ]]; then
		# Debian's bare server leaves my_print_defaults, without which mariadb-install-db fails, to another package;
		# and it brings a mysqld, which is no MySQL.
		if have mariadbd; then have my_print_defaults || echo mariadb; else have mysqld || echo mariadb; fi
	else
		have mariadb || have mysql || echo mariadb-client
	fi
	! needs redis || [[ -n ${REDIS_HOST:-} ]] || have redis-server || have valkey-server || echo redis
	if needs kafka && [[ -z ${KAFKA_BROKERS:-} ]]; then
		have java || echo java
		have mvn || echo maven
	fi
	! needs rabbitmq || [[ -n ${RABBITMQ_HOST:-} ]] || have rabbitmq-server || echo rabbitmq-server
	! needs postgresql || [[ -n ${VIEW_POSTGRESQL_DSN:-} ]] || have postgres || [[ -n $(ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null) ]] || echo postgresql
	have curl || echo curl
	[[ $for_tests = no ]] || have cc || have gcc || echo gcc
}

as_root() {
	if [[ $(id -u) = 0 ]]; then "$@"; else sudo "$@"; fi
}

package() { # package MANAGER THING – the smallest packages that hold it
	case $1:$2 in
	apt:mariadb) # the bare server, without a service or a system user, where there is such a package
		if apt-cache show mariadb-server-core >/dev/null 2>&1; then echo mariadb-server-core mariadb-client-core; else echo mariadb-server; fi ;;
	apt:gcc) echo gcc libc6-dev ;;
	apk:gcc) echo gcc musl-dev ;;
	apt:redis) echo redis-server ;;
	apt:java) echo default-jre-headless ;;
	dnf:java) echo java-21-openjdk-headless ;;
	apk:java) echo openjdk21-jre-headless ;;
	dnf:postgresql) echo postgresql-server ;;
	dnf:mariadb) echo mariadb-server ;;
	dnf:mariadb-client) echo mariadb ;;
	dnf:redis) if dnf -q info redis >/dev/null 2>&1; then echo redis; else echo valkey; fi ;;
	*) echo "$2" ;;
	esac
}

# The units of database servers that systemd knows, one a line.
units() {
	[[ ! -d /run/systemd/system ]] || systemctl list-unit-files --no-legend --type=service |
		awk '$1 ~ /^(redis|valkey|mariadb|mysql|rabbitmq|epmd|postgresql)/ && $1 !~ /@/ {print $1}' | sort
}

policy=/usr/sbin/policy-rc.d
install_apt() {
	local before new result=0
	before=$(units)
	# Debian starts a service as soon as it is installed, unless this file forbids it. It goes again however this
	# script ends: a machine that keeps it starts no service any more.
	if [[ ! -e $policy ]]; then
		trap 'as_root rm -f "$policy"' EXIT
		trap 'exit 143' INT TERM HUP
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
		as_root chmod +x "$policy"
	fi
	# --no-remove: rather fail than replace a database server that the owner of this machine uses.
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends --no-remove "$@" || result=$?
	# Nor at the next boot. Units that were there before are the owner's.
	mapfile -t new < <(comm -13 <(echo "$before") <(units) | sed '/^$/d')
	((${#new[@]} == 0)) || as_root systemctl disable -q "${new[@]}" 2>/dev/null || true
	return "$result"
}

install() {
	local manager=$1 names=() thing packages
	shift
	[[ $manager != apt ]] || as_root apt-get update -qq
	for thing; do
		read -ra packages <<<"$(package "$manager" "$thing")"
		names+=("${packages[@]}")
	done
	case $manager in
	apt) install_apt "${names[@]}" ;;
	dnf) as_root dnf install -y -q "${names[@]}" ;;
	apk) as_root apk add -q "${names[@]}" ;;
	esac
}

if [[ ${1:-} = --as ]]; then # the long part, called from below
	install "${@:2}"
	exit
fi

mapfile -t things < <(missing)
((${#things[@]})) || exit 0
own="or name servers of your own by MYSQL_HOST, REDIS_HOST and the like (deploy/local/README.md)"

manager=
for name in apt-get dnf apk; do have $name && manager=${name%-get} && break; done
[[ -n $manager ]] || fail "${things[*]} is missing and there is no apt-get, dnf or apk here: please install it, $own."
if [[ $(id -u) != 0 ]]; then
	have sudo || fail "${things[*]} is missing, and to install it takes root or sudo: please install it, $own."
	sudo -v || fail "${things[*]} is missing, and sudo does not let you install it: please have it installed, $own."
fi

mkdir -p "$RUN"
progress "Installing ${things[*]} by $manager" "$RUN/install.log" "$0" --as "$manager" "${things[@]}"
mapfile -t things < <(missing)
((${#things[@]} == 0)) || fail "$manager brought no ${things[*]}: please install it, $own."
