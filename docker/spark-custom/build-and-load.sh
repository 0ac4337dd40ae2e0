#!/bin/sh
# build-and-load.sh [LINE...]: spark-k8s:<line>-hadoop<version> and its alias, of all lines or the given ones.
#   SPARK_SOURCE=archive.tgz   builds that source (one line) in place of assembling published artifacts
#   BASE=image                 the base, debian:bookworm-slim by default
#   LOAD=kind|minikube         and loads it into that cluster
set -eu
. "$(dirname "$0")/../base/lib.sh"
here=$root/docker/spark-custom
base=${BASE:-debian:bookworm-slim}

load() {
    case ${LOAD:-} in
    '') ;;
    kind) kind load docker-image "$1" ;;
    minikube) minikube image load "$1" ;;
    *) die "LOAD is kind or minikube, not $LOAD" ;;
    esac
}

distribution=assembled
if [ -n "${SPARK_SOURCE:-}" ]; then
    [ $# = 1 ] || die "SPARK_SOURCE is the source of one line: name it"
    distribution=compiled
    trap 'rm -f "$here/source.tgz"' EXIT
    cp "$SPARK_SOURCE" "$here/source.tgz"
fi

# shellcheck disable=SC2086 # the lines are separate words
[ $# -gt 0 ] || set -- $LINES
"$root/docker/base/ensure-base.sh" debian:bookworm-slim "$base"
for line in "$@"; do
    known_line "$line"
    image=spark-k8s:$line-hadoop$HADOOP
    build_image "$image" "$here/Dockerfile.$line" \
        --build-arg "BASE=$base" --build-arg "DISTRIBUTION=$distribution"
    "$DOCKER" tag "$image" "spark-$line-hadoop$HADOOP:latest"
    load "$image"
done
