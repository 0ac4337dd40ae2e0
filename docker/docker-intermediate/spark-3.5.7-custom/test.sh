#!/bin/sh
# test.sh [LINE [IMAGE]]
set -eu
line=${1:-3.5.7}
. "$(dirname "$0")/../../base/test-lib.sh"
[ "$line" = 3.5.7 ] || die "this layer is of 3.5.7"
image=${2:-spark-3.5.7-custom:latest}
parent spark-custom
check "it carries the layer's label" test -n "$(label spark-service.layer)"
exit $status
