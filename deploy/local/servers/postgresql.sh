# shellcheck shell=bash
# PostgreSQL, for the view alone. It refuses to run as root: there it gets a user namespace, in which it is nobody and
# its files are its own.
postgresql_program() { # postgresql_program NAME – Debian keeps them in a folder for each version
	type -P "$1" || type -P "$(printf '%s\n' /usr/lib/postgresql/*/bin/"$1" | sort -V | tail -n 1)"
}

as_nobody() {
	if [[ $(id -u) = 0 ]]; then
		unshare --user --map-user=65534 --map-group=65534 "$@"
	else
		"$@"
	fi
}

start_postgresql() {
	[[ -z ${VIEW_POSTGRESQL_DSN:-} ]] || return 0
	local server data=$RUN/data/postgresql nobody=()
	server=$(postgresql_program postgres) || fail "postgres is not installed; deploy/local/install.sh does it."
	[[ -d $data ]] || make_cluster "$server" "$data"
	[[ $(id -u) != 0 ]] || nobody=(unshare --user --map-user=65534 --map-group=65534)
	# A commit reaches the disk before it is one (fsync and synchronous_commit are on by default). No socket file.
	start_process postgresql "${nobody[@]}" "$server" -D "$data" -c listen_addresses=127.0.0.1 -c port="$(port 5490)" \
		-c unix_socket_directories= -c max_connections=100
	up postgresql 60 port_open "$(port 5490)"
}

# make_cluster SERVER FOLDER – whole or not at all.
make_cluster() {
	local new=$2.new log=$RUN/logs/postgresql-install.log
	rm -rf "$new"
	as_nobody "$(postgresql_program initdb)" -D "$new" -U postgres -E UTF8 --locale=C -A scram-sha-256 \
		--pwfile=<(sed -n 's/^postgresql_admin=//p' "$RUN/env/secrets") >"$log" 2>&1 ||
		fail "PostgreSQL's folder cannot be made: $(tail -n 1 "$log") (see $(short "$log"))."
	# Without a server, so that no password is in a command line.
	as_nobody "$1" --single -D "$new" postgres >>"$log" 2>&1 <<-SQL ||
		CREATE ROLE oneq_view LOGIN PASSWORD '$(sed -n 's/^postgresql_view=//p' "$RUN/env/secrets")'
		CREATE DATABASE oneq_view OWNER oneq_view
	SQL
		fail "PostgreSQL's database cannot be made: $(tail -n 1 "$log") (see $(short "$log"))."
	mv "$new" "$2"
}
