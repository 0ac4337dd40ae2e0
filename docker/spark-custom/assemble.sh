#!/bin/sh
# assemble.sh LINE FOLDER: a Spark distribution from the published PySpark archive of exactly that version,
# which holds all of it. A Hadoop other than HADOOP is taken out; give HADOOP= to keep what is there.
set -eu
line=$1 folder=$2
keep=${HADOOP-unset}
# shellcheck source=/dev/null
. "$(dirname "$0")/versions.env"
[ "$keep" = unset ] || HADOOP=$keep
work=$(mktemp -d)

sum=$(eval "echo \$PYSPARK_SHA256_$(echo "$line" | tr . _)")
echo "pyspark==$line --hash=sha256:$sum" >"$work/requirements"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
    --dest "$work" --requirement "$work/requirements"

mkdir -p "$work/archive" "$folder/python" "$folder/conf"
tar xzf "$work/pyspark-$line.tar.gz" --no-same-owner --strip-components=1 -C "$work/archive"
for part in bin sbin jars licenses; do
    mv "$work/archive/deps/$part" "$folder/"
done
mv "$work/archive/pyspark" "$work/archive/lib" "$folder/python/"
echo "Spark $line, assembled from the published archive" >"$folder/RELEASE"
rm -rf "$work"

if [ -n "$HADOOP" ] && [ ! -e "$folder/jars/hadoop-client-api-$HADOOP.jar" ]; then
    rm "$folder"/jars/hadoop-*.jar
fi
