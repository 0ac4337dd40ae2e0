#!/bin/sh
# build.sh: spark-service-test-s3:<version of moto>
set -eu
# shellcheck source-path=SCRIPTDIR source=../../../../docker/base/lib.sh
. "$(dirname "$0")/../../../../docker/base/lib.sh"
"$root/docker/base/ensure-base.sh" debian:bookworm-slim
CONTEXT=$root build_image "spark-service-test-s3:$MOTO" "$root/tests/images/stack/s3/Dockerfile" \
    --build-arg "MOTO=$MOTO"
