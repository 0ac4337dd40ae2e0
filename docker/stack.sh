#!/bin/sh
# stack.sh ARGUMENT...: docker compose, or docker-compose where that's what there is, on compose.yaml,
# with the engine and the MySQL image that are there.
set -eu
# shellcheck source-path=SCRIPTDIR source=base/lib.sh
. "$(dirname "$0")/base/lib.sh"
cd "$root"

have() {
    "$DOCKER" image inspect "$1" >/dev/null 2>&1
}

standin=mysql-standin:$MYSQL_STANDIN
if [ -z "${MYSQL_IMAGE:-}" ] && have "$standin" && ! have mysql:8; then
    export MYSQL_IMAGE="$standin"
fi
export COMPOSE_PROJECT_NAME="${COMPOSE_PROJECT_NAME:-spark-service}"

if "$DOCKER" compose version >/dev/null 2>&1; then
    exec "$DOCKER" compose "$@"
fi
command -v docker-compose >/dev/null || "$root/.ci/packages" docker-compose
exec docker-compose "$@"
