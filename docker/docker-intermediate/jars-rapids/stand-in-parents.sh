#!/bin/sh
# stand-in-parents.sh LINE: RAPIDS' jar names a parent that not every registry serves, and Maven copies no jar
# without it. The jar is copied alone, so that an empty parent does.
set -eu
line=$(echo "$1" | tr . _)
# shellcheck source=/dev/null
. "$(dirname "$0")/versions.env"
scala=$(eval "echo \$SCALA_$line")
version=$(eval "echo \$RAPIDS_$line")
for parent in rapids-4-spark-parent rapids-4-spark-jdk-profiles; do
    folder=$HOME/.m2/repository/com/nvidia/${parent}_$scala/$version
    mkdir -p "$folder"
    cat >"$folder/${parent}_$scala-$version.pom" <<POM
<project><modelVersion>4.0.0</modelVersion><groupId>com.nvidia</groupId>
<artifactId>${parent}_$scala</artifactId><version>$version</version><packaging>pom</packaging></project>
POM
done
