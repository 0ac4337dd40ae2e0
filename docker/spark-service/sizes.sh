#!/bin/sh
# sizes.sh IMAGE...: each image's size, and each layer's with the line of the Dockerfile that made it.
# An image that isn't there is left out.
set -eu
# shellcheck source-path=SCRIPTDIR source=../base/lib.sh
. "$(dirname "$0")/../base/lib.sh"
for image in "$@"; do
    bytes=$("$DOCKER" image inspect --format '{{.Size}}' "$image" 2>/dev/null) || continue
    echo "$image: $((bytes / 1000000)) MB"
    "$DOCKER" history --no-trunc --format '{{.Size}}\t{{.CreatedBy}}' "$image" |
        grep -v '^0B' | sed -E 's/^([^\t]*\t.{0,90}).*/  \1/; s/# buildkit//'
done
