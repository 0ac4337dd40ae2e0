#!/bin/sh
# build.sh: spark-baked:<spark>-<phase>. A tag is built once: PHASE names the next (PHASE=phase1).
set -eu
. "$(dirname "$0")/../base/lib.sh"
"$root/docker/base/ensure-base.sh" debian:bookworm-slim
build_image "spark-baked:$BAKED_SPARK-${PHASE:-$BAKED_PHASE}" "$root/docker/baked/Dockerfile"
