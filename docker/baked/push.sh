#!/bin/sh
# push.sh: the image of build.sh to $IMAGE_REGISTRY (as registry.example/team; no default), then compares what the
# registry has. A tag never changes: one that is there with another image is refused.
set -eu
. "$(dirname "$0")/../base/lib.sh"
local_image=spark-baked:$BAKED_SPARK-${PHASE:-$BAKED_PHASE}
[ -n "${IMAGE_REGISTRY:-}" ] || die "IMAGE_REGISTRY says where to push, for example IMAGE_REGISTRY=registry.example/team"
remote_image=${IMAGE_REGISTRY%/}/$local_image

id() {
    "$DOCKER" image inspect --format '{{.Id}}' "$1"
}

# pulled_id IMAGE: of what the registry has under that name, nothing when it has nothing
pulled_id() {
    "$DOCKER" rmi "$1" >/dev/null 2>&1 || true
    "$DOCKER" pull -q "$1" >/dev/null 2>&1 && id "$1"
}

want=$(id "$local_image") || die "no $local_image: make build-spark-image"
have=$(pulled_id "$remote_image" || true)
[ -z "$have" ] || [ "$have" = "$want" ] ||
    die "$remote_image is there with another image, and tags don't change: give it a PHASE"
"$DOCKER" tag "$local_image" "$remote_image"
"$DOCKER" push "$remote_image"
digest=$("$DOCKER" image inspect --format '{{join .RepoDigests "\n"}}' "$remote_image" |
    grep -F "${remote_image%:*}@")
[ "$(pulled_id "$digest")" = "$want" ] || die "$digest in the registry isn't the image that was pushed"
[ "$(pulled_id "$remote_image")" = "$want" ] || die "$remote_image in the registry isn't the image that was pushed"
echo "pushed $digest"
