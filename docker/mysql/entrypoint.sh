#!/bin/sh
# entrypoint.sh mysqld [OPTION...]: the server, its data made on the first start as the published image does it:
# MYSQL_ROOT_PASSWORD, MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD (each also as _FILE), MYSQL_ALLOW_EMPTY_PASSWORD,
# then /docker-entrypoint-initdb.d/*.sql in the order of their names. Anything else is run as it stands.
# shellcheck disable=SC2086,SC2016 # $mysqld is several words; backticks are MySQL's
set -eu
data=/var/lib/mysql
making=$data/.first-start
socket=/run/mysqld/mysqld.sock

# value NAME: of the variable, or of the file that NAME_FILE names
value() {
    file=$(printenv "$1_FILE" || true)
    if [ -n "$file" ]; then cat "$file"; else printenv "$1" || true; fi
}

# quoted TEXT: as an SQL string
quoted() {
    printf "'%s'" "$(printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e "s/'/''/g")"
}

mysqld="/opt/mysql/bin/mysqld --no-defaults --user=mysql --basedir=/opt/mysql --datadir=$data
    --lc-messages-dir=/opt/mysql/share --socket=$socket --pid-file=/run/mysqld/mysqld.pid --mysqlx=OFF"

client() {
    mariadb --socket="$socket" --user=root --default-character-set=utf8mb4 "$@"
}

# printf, as echo may take a backslash in a password for its own.
database_and_user() {
    [ -z "$database" ] || printf 'CREATE DATABASE `%s`;\n' "$database"
    user=$(value MYSQL_USER)
    [ -n "$user" ] || return 0
    user="$(quoted "$user")@'%'"
    printf 'CREATE USER %s IDENTIFIED BY %s;\n' "$user" "$(quoted "$(value MYSQL_PASSWORD)")"
    [ -z "$database" ] || printf 'GRANT ALL ON `%s`.* TO %s;\n' "$database" "$user"
}

root_account() {
    password=$(quoted "$(value MYSQL_ROOT_PASSWORD)")
    printf "CREATE USER root@'%%' IDENTIFIED BY %s;\n" "$password"
    printf "GRANT ALL ON *.* TO root@'%%' WITH GRANT OPTION;\n"
    printf 'ALTER USER root@localhost IDENTIFIED BY %s;\n' "$password"
}

init_scripts() {
    for script in /docker-entrypoint-initdb.d/*.sql; do
        [ -e "$script" ] || continue
        echo "running $script"
        client ${database:+--database="$database"} <"$script"
    done
}

# The half-made server listens on the socket alone: nobody sees it healthy before its data is there.
first_start() {
    [ -n "$(value MYSQL_ROOT_PASSWORD)" ] || [ -n "${MYSQL_ALLOW_EMPTY_PASSWORD:-}" ] || {
        echo "MYSQL_ROOT_PASSWORD or MYSQL_ALLOW_EMPTY_PASSWORD is needed" >&2
        exit 1
    }
    chown mysql:mysql "$data"
    # An interrupted first start left this mark; what lies beside it is no one's data yet.
    find "$data" -mindepth 1 -delete
    touch "$making"
    $mysqld --initialize-insecure
    $mysqld --skip-networking &
    pid=$!
    tries=0
    until client --execute='SELECT 1' >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ $tries -gt 300 ] || ! kill -0 "$pid" 2>/dev/null; then
            echo "the server doesn't answer on its socket" >&2
            exit 1
        fi
        sleep 0.2
    done
    database=$(value MYSQL_DATABASE)
    database_and_user | client
    init_scripts
    root_account | client
    kill "$pid"
    wait "$pid" || true
    rm "$making"
}

if [ "${1:-}" != mysqld ]; then
    exec "$@"
fi
shift
if [ -e "$making" ] || [ -z "$(ls -A "$data")" ]; then
    first_start
fi
exec $mysqld "$@"
