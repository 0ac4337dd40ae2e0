#!/bin/sh
# test.sh LINE [IMAGE]: what each layer of a line must have, because spark-k8s has it
set -eu
line=$1
LIB=../base
# shellcheck source=../base/test-lib.sh
. "$(dirname "$0")/../base/test-lib.sh"
known_line "$line"
image=${2:-spark-k8s:$line-hadoop$HADOOP}

check "$image is there and runs" in_image "$image" true
check "spark-submit --version" contains "version $line" in_image "$image" spark-submit --version
check "Java 17" contains 'version "17.' in_image "$image" java -version
check "tini is PID 1" contains tini in_image "$image" cat /proc/1/comm
# shellcheck disable=SC2016 # the container's shell expands it
check "no certificate of the build's machine" in_image "$image" \
    sh -c 'test -z "$(ls -A /usr/local/share/ca-certificates 2>/dev/null)"'
check "its label says Spark $line" has_label spark-service.spark "$line"
check "its label says Hadoop $HADOOP" has_label spark-service.hadoop "$HADOOP"
check "spark-sql answers" contains 42 in_image "$image" spark-sql --master 'local[1]' \
    --conf spark.sql.catalogImplementation=in-memory --conf spark.ui.enabled=false \
    --conf spark.sql.warehouse.dir=/tmp/warehouse --conf spark.driver.host=localhost -e 'SELECT 6 * 7'
python_checks "$root/docker/spark-custom/checks.py" --env SPARK="$line" --env HADOOP="$HADOOP" \
    --env AWS_SDK="$AWS_SDK" "$image"
exit $status
