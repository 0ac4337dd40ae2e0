#!/bin/sh
# build-4.1.0.sh: jars-rapids:4.1.0 (Scala 2.13), and what it stands on. PARENT=image: something else below it.
set -eu
. "$(dirname "$0")/../../base/lib.sh"
[ -n "${PARENT:-}" ] || "$root/docker/docker-intermediate/jdbc-drivers/build.sh" 4.1.0
build_image jars-rapids:4.1.0 "$root/docker/docker-intermediate/jars-rapids/Dockerfile" \
    --build-arg SPARK=4.1.0 --build-arg "PARENT=${PARENT:-jdbc-drivers:4.1.0}"
