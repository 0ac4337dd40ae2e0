#!/bin/sh
# test.sh LINE [IMAGE]: of the variant that the image's labels name
set -eu
line=$1
. "$(dirname "$0")/../../base/test-lib.sh"
image=${2:-python-deps:$line-base}
parent "docker-intermediate/spark-$line-custom"
python_checks "$root/docker/docker-intermediate/python-deps/checks.py" \
    --env ICEBERG="$(label spark-service.iceberg-packages)" --env GPU="$(label spark-service.gpu-packages)" "$image"
exit $status
