#!/bin/sh
# build.sh LINE: jdbc-drivers:<line>, and what it stands on. PARENT=image: something else below it.
set -eu
. "$(dirname "$0")/../../base/lib.sh"
line=${1:-$SPARK_DEFAULT}
known_line "$line"
[ -n "${PARENT:-}" ] || "$root/docker/docker-intermediate/python-deps/build.sh" "$line" base
build_image "jdbc-drivers:$line" "$root/docker/docker-intermediate/jdbc-drivers/Dockerfile" \
    --build-arg "PARENT=${PARENT:-python-deps:$line-base}"
