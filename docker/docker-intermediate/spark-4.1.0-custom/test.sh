#!/bin/sh
# test.sh [LINE [IMAGE]]
set -eu
line=${1:-4.1.0}
. "$(dirname "$0")/../../base/test-lib.sh"
[ "$line" = 4.1.0 ] || die "this layer is of 4.1.0"
image=${2:-spark-4.1.0-custom:latest}
parent spark-custom
check "it carries the layer's label" test -n "$(label spark-service.layer)"
exit $status
