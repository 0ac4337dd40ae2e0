#!/bin/sh
# build.sh: spark-3.5.7-custom:latest, and what it stands on
set -eu
. "$(dirname "$0")/../../base/lib.sh"
"$root/docker/spark-custom/build-and-load.sh" 3.5.7
build_image spark-3.5.7-custom:latest "$root/docker/docker-intermediate/spark-3.5.7-custom/Dockerfile"
