#!/bin/sh
# test.sh LINE [IMAGE]
set -eu
line=$1
. "$(dirname "$0")/../../base/test-lib.sh"
image=${2:-jars-rapids:$line}
parent docker-intermediate/jdbc-drivers
python_checks "$root/docker/docker-intermediate/jars-rapids/checks.py" --env SPARK="$line" \
    --env RAPIDS="$(of_line RAPIDS "$line")" --env SHIM="$(of_line RAPIDS_SHIM "$line")" "$image"
exit $status
