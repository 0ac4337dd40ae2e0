#!/bin/sh
# lock-requirements.sh: after a change of a requirements*.in, pins all it brings, with hashes. Needs uv.
set -eu
cd "$(dirname "$0")/.."

# lock NAME [OPTION...]: NAME.in into NAME.txt, as the images' Python will resolve it
lock() {
    name=$1
    shift
    uv pip compile --quiet --generate-hashes --no-annotate --python-version 3.11 --upgrade \
        --python-platform x86_64-manylinux_2_28 --custom-compile-command docker/base/lock-requirements.sh \
        --output-file "$name.txt" "$@" "$name.in"
}

layer=docker-intermediate/python-deps
lock spark-custom/requirements
lock baked/requirements
# What a layer adds must get on with what the image below it has.
lock $layer/requirements-iceberg --constraints spark-custom/requirements.txt
lock $layer/requirements-gpu --constraints spark-custom/requirements.txt \
    --constraints $layer/requirements-iceberg.txt
