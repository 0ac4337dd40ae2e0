#!/bin/sh
# build.sh: spark-4.1.0-custom:latest, and what it stands on
set -eu
. "$(dirname "$0")/../../base/lib.sh"
"$root/docker/spark-custom/build-and-load.sh" 4.1.0
build_image spark-4.1.0-custom:latest "$root/docker/docker-intermediate/spark-4.1.0-custom/Dockerfile"
