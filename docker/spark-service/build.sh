#!/bin/sh
# build.sh slim|full LINE: spark-service:<version>-spark<line>[-slim]; the default line's are also
# spark-service:<version>[-slim].
#   slim   on debian:bookworm-slim
#   full   on the intermediate layer jars-iceberg:<line>, which must be there
# EXTRA_JARS="group:artifact:version ..." adds connectors to the class path.
set -eu
# shellcheck source-path=SCRIPTDIR source=../base/lib.sh
. "$(dirname "$0")/../base/lib.sh"
[ $# -eq 2 ] || die "usage: build.sh slim|full LINE"
kind=$1 line=$2
known_line "$line"
version=$(sed -n 's/^VERSION := //p' "$root/Makefile")

case $kind in
slim) on=debian:bookworm-slim suffix=-slim ;;
full) on=jars-iceberg:$line suffix= ;;
*) die "slim or full, not $kind" ;;
esac

CONTEXT=$root build_image "spark-service:$version-spark$line$suffix" "$root/docker/spark-service/Dockerfile" \
    --build-arg "ON=$on" --build-arg "SPARK_VERSION=$line" --build-arg "EXTRA_JARS=${EXTRA_JARS:-}" \
    --label "org.opencontainers.image.version=$version"
if [ "$line" = "$SPARK_DEFAULT" ]; then
    "$DOCKER" tag "spark-service:$version-spark$line$suffix" "spark-service:$version$suffix"
fi
