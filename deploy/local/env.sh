#!/usr/bin/env bash
# Writes what each program of the stack needs to know into $ONEQ_RUN_DIR/env, readable by its owner only:
#   APP.env          a service's own settings and tokens (app.sh loads it, then APP.override.env if you made one)
#   APP.daprd.env    what its sidecar needs
#   admin.env        the database's administrator, for tests
#   servers.env      what a plain daprd needs, for whoever runs dapr.yaml without daprd.sh; every service inherits it,
#                    so it holds nothing but broker and store, and one token of each kind for all
#   choice           which broker and which store this stack has
# Secrets are random, made once and kept; the files are written anew at every start.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
umask 077
mkdir -p "$RUN/env" "$RUN/data"

secret() { # secret NAME
	local value
	touch "$RUN/env/secrets"
	value=$(sed -n "s/^$1=//p" "$RUN/env/secrets")
	if [[ -z $value ]]; then
		value=$(od -An -N20 -tx1 /dev/urandom | tr -d ' \n')
		echo "$1=$value" >>"$RUN/env/secrets"
	fi
	echo "$value"
}

env_file() { # env_file NAME VARIABLE=VALUE…
	local file=$RUN/env/$1.env pair
	shift
	for pair; do printf "%s='%s'\n" "${pair%%=*}" "${pair#*=}"; done >"$file.new.$$" # more than one of us may be at work
	mv "$file.new.$$" "$file"
}

# Events that the other broker still has would be heard by nobody.
before=$(chosen BROKER)
[[ -z $before || $before = "${SWITCH_FROM:-$BROKER}" || -z $(ls -A "$RUN/data") ]] || fail "this stack's events are with $before. While it runs,
  deploy/local/switch.sh $BROKER moves it without losing one; 'make clean' begins anew; BROKER=$before leaves it as it is."
printf '%s\n' "BROKER=${SWITCH_FROM:-$BROKER}" "STATE=$STATE" >"$RUN/env/choice.$$"
mv "$RUN/env/choice.$$" "$RUN/env/choice"

mysql=${MYSQL_HOST:-127.0.0.1}:${MYSQL_PORT:-3306}
[[ -n ${MYSQL_HOST:-} ]] || mysql=127.0.0.1:$(port 3390)

# How a sidecar reaches a broker or the view's store: what the components of that folder ask the environment for.
access() { # access FOLDER
	case $1 in
	*/redis)
		if [[ -n ${REDIS_HOST:-} ]]; then
			printf '%s\n' "REDIS_HOST=$REDIS_HOST" "REDIS_PASSWORD=${REDIS_PASSWORD:-}"
		else
			printf '%s\n' "REDIS_HOST=127.0.0.1:$(port 6390)" "REDIS_PASSWORD=$(secret redis)"
		fi
		;;
	pubsub/kafka)
		secret kafka_broker >/dev/null
		printf '%s\n' "KAFKA_BROKERS=${KAFKA_BROKERS:-127.0.0.1:$(port 9490)}" "KAFKA_USER=${KAFKA_USER:-oneqtour}" \
			"KAFKA_PASSWORD=${KAFKA_PASSWORD:-$(secret kafka)}"
		;;
	pubsub/rabbitmq)
		secret rabbitmq_cookie >/dev/null
		printf '%s\n' "RABBITMQ_HOST=${RABBITMQ_HOST:-127.0.0.1:$(port 5690)}" "RABBITMQ_USER=${RABBITMQ_USER:-oneqtour}" \
			"RABBITMQ_PASSWORD=${RABBITMQ_PASSWORD:-$(secret rabbitmq)}"
		;;
	state/mysql) echo "VIEW_MYSQL_DSN=oneq_view:$(secret mysql_view)@tcp($mysql)/" ;;
	state/postgresql)
		secret postgresql_admin >/dev/null
		echo "VIEW_POSTGRESQL_DSN=${VIEW_POSTGRESQL_DSN:-host=127.0.0.1 port=$(port 5490) user=oneq_view password=$(secret postgresql_view) dbname=oneq_view sslmode=disable}"
		;;
	*) fail "components/$1 is new: please say in env.sh what it needs." ;;
	esac
}
broker=() store=()
mapfile -t broker < <(access "pubsub/$BROKER")
# During a switch sidecars need both.
[[ -z ${SWITCH_FROM:-} ]] || mapfile -t -O "${#broker[@]}" broker < <(access "pubsub/$SWITCH_FROM")
mapfile -t store < <(access "state/$STATE")
issuer=http://127.0.0.1:$(port 8089)
common=("ONEQ_ENVIRONMENT=development" "ONEQ_LISTEN=127.0.0.1" "ONEQ_OIDC_ISSUER=$issuer" "ONEQ_OIDC_AUDIENCE=oneqtour")

sql=$RUN/env/databases.sql.new.$$
: >"$sql"
if [[ $STATE = mysql ]]; then
	# A user who sees nothing else. Keys hold people's ids: with the usual collations Customer-1 would be customer-1.
	cat >>"$sql" <<-SQL
		CREATE DATABASE IF NOT EXISTS oneq_view CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
		CREATE USER IF NOT EXISTS 'oneq_view'@'%';
		ALTER USER 'oneq_view'@'%' IDENTIFIED BY '$(secret mysql_view)';
		GRANT ALL PRIVILEGES ON oneq_view.* TO 'oneq_view'@'%';
	SQL
fi
for app in $(apps_with_database); do
	cat >>"$sql" <<-SQL
		CREATE DATABASE IF NOT EXISTS oneq_$app CHARACTER SET utf8mb4;
		CREATE USER IF NOT EXISTS 'oneq_$app'@'%';
		ALTER USER 'oneq_$app'@'%' IDENTIFIED BY '$(secret "mysql_$app")';
		GRANT ALL PRIVILEGES ON oneq_$app.* TO 'oneq_$app'@'%';
	SQL
done

for app in $(apps); do
	own=("APP_API_TOKEN=$(secret "app_token_$app")")
	sidecar=("${own[@]}" "DAPR_HOST_IP=127.0.0.1")
	if [[ $app != gateway ]]; then
		# The gateway's sidecar is the open front of the stack: no token, but its Configuration lets it
		# invoke only. It has no broker and no store either; of the others viewpage alone has the store.
		own+=("DAPR_API_TOKEN=$(secret "dapr_token_$app")")
		sidecar+=("DAPR_API_TOKEN=$(secret "dapr_token_$app")" "${broker[@]}")
		[[ $app != viewpage ]] || sidecar+=("${store[@]}")
	fi
	if apps_with_database | grep -qx "$app"; then
		own+=("ONEQ_DATABASE_DSN=oneq_$app:$(secret "mysql_$app")@tcp($mysql)/oneq_$app")
	fi
	if [[ $app = payment ]]; then
		own+=("ONEQ_PROVIDER_URL=http://127.0.0.1:$(port 8099)" "ONEQ_PROVIDER_SECRET_KEY=$(secret provider)")
	fi
	env_file "$app" "${common[@]}" "${own[@]}"
	env_file "$app.daprd" "${sidecar[@]}"
done

pages=http://127.0.0.1:$(app_port gateway appPort)
env_file issuer "${common[@]}" "APP_PORT=$(port 8089)" "ONEQ_CLIENT_SECRET=dev" "ONEQ_KEY_FILE=$RUN/data/issuer-key.pem" \
	"ONEQ_OIDC_REDIRECT_URIS=$pages/auth/callback" "ONEQ_OIDC_LOGOUT_URIS=$pages/"
env_file paymentsim "${common[@]}" "APP_PORT=$(port 8099)" "ONEQ_PROVIDER_SECRET_KEY=$(secret provider)" \
	"ONEQ_LEDGER_FILE=$RUN/data/paymentsim.jsonl"

admin=("ONEQ_MYSQL_ADMIN_DSN=${MYSQL_ADMIN_USER:-root}:${MYSQL_ADMIN_PASSWORD:-}@tcp($mysql)/")
if [[ -z ${MYSQL_HOST:-} ]]; then
	admin=("ONEQ_MYSQL_ADMIN_DSN=oneq_admin:$(secret mysql_admin)@tcp($mysql)/")
	cat >>"$sql" <<-SQL
		CREATE USER IF NOT EXISTS 'oneq_admin'@'%';
		ALTER USER 'oneq_admin'@'%' IDENTIFIED BY '$(secret mysql_admin)';
		GRANT ALL PRIVILEGES ON *.* TO 'oneq_admin'@'%' WITH GRANT OPTION;
		ALTER USER 'root'@'localhost' IDENTIFIED BY '$(secret mysql_admin)';
	SQL
	# A new data folder has further roots, and strangers without a name, whom anybody could be over TCP without a
	# password. Which ones depends on the server and on this machine's name at that time.
	cat >>"$sql" <<-'SQL'
		SET @strangers = (SELECT GROUP_CONCAT(QUOTE(User), '@', QUOTE(Host)) FROM mysql.user WHERE User = '' OR (User = 'root' AND Host <> 'localhost'));
		SET @farewell = IF(@strangers IS NULL, 'DO 0', CONCAT('DROP USER ', @strangers));
		PREPARE farewell FROM @farewell;
		EXECUTE farewell;
		DEALLOCATE PREPARE farewell;
	SQL
fi
mv "$sql" "$RUN/env/databases.sql"
env_file admin "${admin[@]}"
env_file servers "${broker[@]}" "${store[@]}" "APP_API_TOKEN=$(secret app_token)" "DAPR_API_TOKEN=$(secret dapr_token)"
