#!/bin/sh
# test-gpu-resolves.sh LINE: the gpu variant takes gigabytes and a GPU to run. Without either: all its packages
# can be had, in these versions and with these sums, for the image's Python.
# shellcheck disable=SC2317 # `check` calls it
set -eu
line=$1
. "$(dirname "$0")/../../base/test-lib.sh"
known_line "$line"
image=python-deps:$line-base

resolves() {
    build_image "python-deps-resolve:$line" "$root/docker/docker-intermediate/python-deps/Dockerfile" \
        --target python --build-arg "SPARK=$line" --build-arg BUILD_GPU_DEPS=true --build-arg BUILD_ICEBERG_DEPS=true \
        --build-arg "RESOLVE_ONLY=$(date +%s)" # a value of its own: no answer from a build's cache
    "$DOCKER" rmi "python-deps-resolve:$line" >/dev/null
}

check "the packages of gpu-iceberg can be had" resolves
echo "skip the gpu variants run: that takes a GPU"
exit $status
