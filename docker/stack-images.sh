#!/bin/sh
# stack-images.sh LINE: the images that compose.yaml names: built, pulled, or made from packages.
set -eu
# shellcheck source-path=SCRIPTDIR source=base/lib.sh
. "$(dirname "$0")/base/lib.sh"
[ $# -eq 1 ] || die "usage: stack-images.sh LINE"
version=$(sed -n 's/^VERSION := //p' "$root/Makefile")

"$root/docker/base/ensure-base.sh" debian:bookworm-slim node:18-slim
"$root/docker/spark-service/build.sh" slim "$1"
CONTEXT=$root/docker/backend build_image "spark-service-backend:$version" "$root/docker/backend/Dockerfile"
if ! "$DOCKER" image inspect mysql:8 >/dev/null 2>&1 &&
    ! timeout "${PULL_TIMEOUT:-300}" "$DOCKER" pull -q mysql:8 2>/dev/null; then
    "$root/docker/mysql/build.sh"
fi
