#!/bin/sh
# test.sh LINE [IMAGE]
set -eu
line=$1
. "$(dirname "$0")/../../base/test-lib.sh"
image=${2:-jars-iceberg:$line}
parent docker-intermediate/jdbc-drivers
python_checks "$root/docker/docker-intermediate/jars-iceberg/checks.py" --env ICEBERG="$ICEBERG" "$image"
exit $status
