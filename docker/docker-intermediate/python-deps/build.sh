#!/bin/sh
# build.sh LINE [base|iceberg|gpu|gpu-iceberg]: python-deps:<line>-<variant>, base by default
set -eu
. "$(dirname "$0")/../../base/lib.sh"
line=${1:-$SPARK_DEFAULT} variant=${2:-base}
known_line "$line"
gpu=false iceberg=false
case $variant in
base) ;;
iceberg) iceberg=true ;;
gpu) gpu=true ;;
gpu-iceberg) gpu=true iceberg=true ;;
*) die "no variant $variant" ;;
esac
"$root/docker/docker-intermediate/spark-$line-custom/build.sh"
build_image "python-deps:$line-$variant" "$root/docker/docker-intermediate/python-deps/Dockerfile" \
    --build-arg "SPARK=$line" --build-arg "BUILD_GPU_DEPS=$gpu" --build-arg "BUILD_ICEBERG_DEPS=$iceberg"
