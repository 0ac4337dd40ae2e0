#!/bin/sh
# compile.sh LINE FOLDER SOURCE-ARCHIVE: a Spark distribution built by Spark's own script from its source.
set -eu
line=$1 folder=$2 source=$3
# shellcheck source=/dev/null
. "$(dirname "$0")/versions.env"
maven=$(eval "echo \$MAVEN_SPARK_$(echo "$line" | tr . _)")

mkdir /maven /source
mvn -B -q -C "org.apache.maven.plugins:maven-dependency-plugin:$MAVEN_DEPENDENCY_PLUGIN:copy" \
    -Dartifact="org.apache.maven:apache-maven:$maven:tar.gz:bin" -DoutputDirectory=/maven
tar xzf /maven/apache-maven-*.tar.gz --strip-components=1 -C /maven
tar xzf "$source" --no-same-owner --strip-components=1 -C /source

cd /source
export MAVEN_OPTS="-Xss64m -Xmx2g -XX:ReservedCodeCacheSize=1g"
./dev/make-distribution.sh --name "hadoop$HADOOP" --mvn /maven/bin/mvn \
    -Phadoop-3 -Pkubernetes -Phive -Phive-thriftserver -Dhadoop.version="$HADOOP" -DskipTests
mkdir -p "$folder/conf"
for part in bin sbin jars python licenses; do
    [ ! -e "dist/$part" ] || mv "dist/$part" "$folder/"
done
echo "Spark $line, compiled from source with Hadoop $HADOOP" >"$folder/RELEASE"
