#!/bin/sh
# build.sh: mysql-standin:<version>
set -eu
. "$(dirname "$0")/../base/lib.sh"
"$root/docker/base/ensure-base.sh" debian:bookworm-slim
build_image "mysql-standin:$MYSQL_STANDIN" "$root/docker/mysql/Dockerfile"
