#!/usr/bin/env bash
# servers.sh start|stop [mariadb|redis|kafka|rabbitmq|postgresql|issuer|paymentsim …] – the servers that the services
# need, on loopback, with their data under $ONEQ_RUN_DIR/data. Those that the environment names are used instead:
#   MYSQL_HOST, MYSQL_PORT, MYSQL_ADMIN_USER, MYSQL_ADMIN_PASSWORD     (databases and users are made in it)
#   REDIS_HOST (host:port), REDIS_PASSWORD
#   KAFKA_BROKERS, RABBITMQ_HOST (host:port), each with …_USER and …_PASSWORD; VIEW_POSTGRESQL_DSN
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
umask 077
mkdir -p "$RUN/data" "$RUN/pids" "$RUN/logs"

# up NAME SECONDS CHECK… – waits for a server that was just started, and gives up at once when it has ended.
up() {
	local name=$1 end=$((SECONDS + $2))
	shift 2
	until "$@"; do
		if ! running "$name" || ((SECONDS >= end)); then
			local why
			why=$(grep -iE 'error|fatal|can.?t|invalid|failed' "$RUN/logs/$name.log" | head -n 1 | cut -c1-200) ||
				why=$(tail -n 1 "$RUN/logs/$name.log" | cut -c1-200)
			fail "$name did not come up: $why (see $(short "$RUN/logs/$name.log"))."
		fi
		sleep 0.1
	done
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start_mariadb() {
	local data=$RUN/data/mariadb server
	if [[ -n ${MYSQL_HOST:-} ]]; then
		MYSQL_PWD=${MYSQL_ADMIN_PASSWORD:-} "$(type -P mariadb || type -P mysql)" --host="$MYSQL_HOST" --protocol=tcp \
			--port="${MYSQL_PORT:-3306}" --user="${MYSQL_ADMIN_USER:-root}" <"$RUN/env/databases.sql" 2>"$RUN/logs/mysql.log" ||
			fail "MySQL at $MYSQL_HOST does not let us make the databases: $(tail -n 1 "$RUN/logs/mysql.log")"
		return
	fi
	server=$(type -P mariadbd || type -P mysqld) || fail "neither mariadbd nor mysqld is installed; deploy/local/install.sh does it."
	[[ -d $data ]] || make_database "$server" "$data"
	# The socket's path is relative to the data folder: a full path may be longer than the 107 bytes allowed.
	# Every commit reaches the disk: a reservation that was answered must survive a power cut. MySQL's second
	# protocol (mysqlx) would listen on every interface.
	start_process mariadb "$server" --no-defaults --datadir="$data" --user="$(id -un)" \
		--bind-address=127.0.0.1 --port="$(port 3390)" --socket=oneqtour.sock --pid-file="$data/oneqtour.pid" \
		--init-file="$RUN/env/databases.sql" --character-set-server=utf8mb4 --transaction-isolation=READ-COMMITTED \
		--innodb-flush-log-at-trx-commit=1 --skip-log-bin --innodb-buffer-pool-size=256M \
		--max-connections=400 --performance-schema=OFF --skip-name-resolve --loose-mysqlx=OFF
	up mariadb 60 mysql_greets
}

# make_database SERVER FOLDER – made elsewhere first: a folder left half made must not look like a database, and
# mariadb-install-db cannot stand a blank in a path.
make_database() {
	local new log=$RUN/logs/mariadb-install.log
	new=$(mktemp -d)
	if have mariadb-install-db; then
		mariadb-install-db --no-defaults --datadir="$new/data" --user="$(id -un)" \
			--auth-root-authentication-method=normal --skip-test-db >"$log" 2>&1
	else
		"$1" --no-defaults --initialize-insecure --datadir="$new/data" --user="$(id -un)" >"$log" 2>&1
	fi || fail "the database folder cannot be made: $(tail -n 1 "$log") (see $(short "$log"))."
	rm -rf "$2.new"
	mv "$new/data" "$2.new"
	mv "$2.new" "$2"
	rmdir "$new"
}

mysql_greets() { # the first bytes that a server says to a newcomer
	local greeting
	greeting=$( (exec 3<>"/dev/tcp/127.0.0.1/$(port 3390)" && timeout 2 head -c 5 <&3 | wc -c) 2>/dev/null) && ((greeting == 5))
}

start_redis() {
	[[ -z ${REDIS_HOST:-} ]] || return 0
	local server
	server=$(type -P redis-server || type -P valkey-server) || fail "redis-server is not installed; deploy/local/install.sh does it."
	mkdir -p "$RUN/data/redis"
	# Events wait here for their consumers, so nothing may be evicted; and an event that was acknowledged has left its
	# service's outbox, so every write reaches the disk before it is (everysec would lose a second of them in a
	# power cut). The title stays as it is: by changing it Redis would overwrite the environment by which the
	# scripts know their own processes.
	cat >"$RUN/data/redis.conf" <<-CONF
		bind 127.0.0.1
		port $(port 6390)
		requirepass $(sed -n 's/^redis=//p' "$RUN/env/secrets")
		dir "$RUN/data/redis"
		appendonly yes
		appendfsync always
		maxmemory-policy noeviction
		set-proc-title no
	CONF
	start_process redis "$server" "$RUN/data/redis.conf"
	up redis 30 redis_answers
}

redis_answers() {
	local answer
	answer=$( (exec 3<>"/dev/tcp/127.0.0.1/$(port 6390)" &&
		printf 'AUTH %s\r\nPING\r\n' "$(sed -n 's/^redis=//p' "$RUN/env/secrets")" >&3 &&
		timeout 2 head -n 2 <&3) 2>/dev/null) && [[ $answer == *+PONG* ]]
}

# The others have a file each: start_kafka, start_rabbitmq, start_postgresql.
for file in "$(dirname "$0")"/servers/*.sh; do
	# shellcheck source=/dev/null
	. "$file"
done

start_helper() { # the issuer or the payment simulator
	[[ -x $APPS_BIN/$1 ]] || fail "$1 is not built; 'make build' does it."
	start_process "$1" "$(dirname "$0")/app.sh" "$1"
	up "$1" 20 answers "http://127.0.0.1:$(port "$2")/healthz"
}

command=${1:-}
shift || true
all=(postgresql rabbitmq epmd kafka redis mariadb)
case $command in
start)
	if ! (($#)); then
		set -- mariadb
		for server in redis kafka rabbitmq postgresql; do ! needs $server || set -- "$@" $server; done
		set -- "$@" issuer paymentsim
	fi
	"$(dirname "$0")/env.sh"
	for server; do
		running "$server" && continue
		case $server in
		mariadb) start_mariadb ;;
		redis) start_redis ;;
		kafka) start_kafka ;;
		rabbitmq) start_rabbitmq ;;
		postgresql) start_postgresql ;;
		issuer) start_helper issuer 8089 ;;
		paymentsim) start_helper paymentsim 8099 ;;
		*) fail "there is no server $server." ;;
		esac
	done
	;;
stop)
	(($#)) || set -- paymentsim issuer "${all[@]}"
	for server in paymentsim issuer "${all[@]}"; do
		[[ " $* " = *" $server "* ]] || continue
		# By SIGTERM it would wait until its clients are gone.
		[[ $server != postgresql ]] || ! running postgresql || kill -INT "$(cat "$RUN/pids/postgresql.pid")"
		stop_processes 30 "$server"
	done
	;;
*) fail "usage: servers.sh start|stop [mariadb|redis|kafka|rabbitmq|postgresql|issuer|paymentsim …]" ;;
esac
