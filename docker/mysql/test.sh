#!/bin/sh
# test.sh: the stand-in takes what compose gives the published image, keeps its data, and ends in peace
# shellcheck disable=SC2317 # functions that `check` and `trap` call
set -eu
LIB=../base
. "$(dirname "$0")/../base/test-lib.sh"
container=mysql-standin-test-$$
trap '"$DOCKER" rm --force --volumes "$container" >/dev/null 2>&1 || true' EXIT

query() {
    "$DOCKER" exec --env MYSQL_PWD="p'w\\d" "$container" \
        mysql -h127.0.0.1 -udemo --batch --skip-column-names --execute "$1"
}

answers() {
    tries=0
    until query 'SELECT count(*) FROM demo.users' 2>/dev/null; do
        tries=$((tries + 1))
        if [ "$tries" -ge 120 ]; then
            "$DOCKER" logs "$container"
            return 1
        fi
        sleep 0.5
    done
}

"$DOCKER" create --name "$container" --network none --env MYSQL_ROOT_PASSWORD="r'o\\ot" --env MYSQL_DATABASE=demo \
    --env MYSQL_USER=demo --env MYSQL_PASSWORD="p'w\\d" "mysql-standin:$MYSQL_STANDIN" >/dev/null
"$DOCKER" cp "$root/sql/01-mysql-users.sql" "$container:/docker-entrypoint-initdb.d/"
"$DOCKER" start "$container" >/dev/null
check "it starts with the sample data, and a password with a quote" contains 12 answers
check "it is MySQL $MYSQL_STANDIN" contains "$MYSQL_STANDIN" query 'SELECT version()'
check "text is utf8mb4" contains 'José Valim' query 'SELECT name FROM demo.users WHERE id = 12'
check "root has its password, over TCP" contains 'root@' "$DOCKER" exec --env MYSQL_PWD="r'o\\ot" "$container" \
    mysql -h127.0.0.1 -uroot --execute 'SELECT current_user()'
query 'DELETE FROM demo.users WHERE id = 1'
check "SIGTERM ends it" "$DOCKER" stop --time 20 "$container"
check "with exit code 0" contains 0 "$DOCKER" inspect --format '{{.State.ExitCode}}' "$container"
"$DOCKER" start "$container" >/dev/null
check "it starts again with its data as it was" contains 11 answers
exit $status
