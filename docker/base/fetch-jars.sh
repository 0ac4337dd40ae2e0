#!/bin/sh
# fetch-jars.sh LINE FOLDER PROFILE...: the jars of pom.xml's profiles for a Spark line (`any` where it does not matter), each compared with
# jars.sha256. Runs inside builds, beside versions.env. NEW_SUMS=file: writes sums there, compares none.
set -eu
line=$1 folder=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
[ -e "$here/versions.env" ] || here=$here/..

set -a # Maven reads the versions from its environment
# shellcheck source=/dev/null
. "$here/versions.env"
export SPARK="$line"
suffix=$(echo "$line" | tr . _)
for name in SCALA KAFKA_TOKEN_PROVIDER KAFKA_CLIENTS COMMONS_POOL ICEBERG_SPARK RAPIDS RAPIDS_CLASSIFIER; do
    eval "$name=\${$name:-\${${name}_$suffix:-}}"
done
set +a

mkdir -p "$folder"
mvn -B -q -C -f "$here/pom.xml" -P "$(echo "$*" | tr ' ' ,)" \
    "org.apache.maven.plugins:maven-dependency-plugin:$MAVEN_DEPENDENCY_PLUGIN:copy" \
    -DoutputDirectory="$(cd "$folder" && pwd)"

cd "$folder"
if [ -n "${NEW_SUMS:-}" ]; then
    sha256sum -- *.jar >"$NEW_SUMS"
    exit
fi
for jar in *.jar; do
    grep -qF "  $jar" "$here/jars.sha256" || {
        echo "$jar is not in jars.sha256" >&2
        exit 1
    }
done
sha256sum --check --quiet --strict --ignore-missing "$here/jars.sha256"
