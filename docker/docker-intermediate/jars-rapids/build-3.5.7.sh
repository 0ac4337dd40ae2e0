#!/bin/sh
# build-3.5.7.sh: jars-rapids:3.5.7 (Scala 2.12), and what it stands on. PARENT=image: something else below it.
set -eu
. "$(dirname "$0")/../../base/lib.sh"
[ -n "${PARENT:-}" ] || "$root/docker/docker-intermediate/jdbc-drivers/build.sh" 3.5.7
build_image jars-rapids:3.5.7 "$root/docker/docker-intermediate/jars-rapids/Dockerfile" \
    --build-arg SPARK=3.5.7 --build-arg "PARENT=${PARENT:-jdbc-drivers:3.5.7}"
