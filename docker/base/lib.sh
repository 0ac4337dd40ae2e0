# shellcheck shell=sh
# For `.`: versions, the docker client and the engine, and how an image is built. The caller is below the repository.

root=$(cd "$(dirname "$0")" && until [ -e docker/versions.env ] || [ "$PWD" = / ]; do cd ..; done && pwd)
# shellcheck source=../versions.env
. "$root/docker/versions.env"

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# of_line NAME LINE: the value of a version that differs by line
of_line() {
    eval "echo \"\${$1_$(echo "$2" | tr . _):?no $1 for Spark $2 in docker/versions.env}\""
}

known_line() {
    case " $LINES " in *" $1 "*) ;; *) die "Spark $1 is none of $LINES" ;; esac
}

# The first client that can build with BuildKit: newer ones need buildx for that, Debian's 20.10 doesn't.
# The answer for a client without server is the client's own.
pick_client() {
    for candidate in docker /usr/bin/docker; do
        command -v "$candidate" >/dev/null || continue
        "$candidate" buildx version >/dev/null 2>&1 && break
        case $("$candidate" --version) in *" 20.10."*) break ;; esac
        candidate=
    done
    echo "${candidate:-docker}"
}

DOCKER=${DOCKER:-$(pick_client)}
export DOCKER DOCKER_BUILDKIT=1
if [ -z "${DOCKER_HOST:-}" ]; then
    DOCKER_HOST=$("$root/docker/base/engine.sh" host)
    export DOCKER_HOST
fi

# The machine's extra certificates, for builds behind a proxy that signs with its own. /dev/null: none.
CA_BUNDLE=${CA_BUNDLE:-${SSL_CERT_FILE:-/dev/null}}

# build_image TAG DOCKERFILE [OPTION...]: with $CONTEXT, by default docker/, as the context
build_image() {
    tag=$1 dockerfile=$2
    shift 2
    began=$(date +%s)
    log=$root/build/images/$(echo "$tag" | tr '/:' '__').log
    mkdir -p "${log%/*}"
    echo "building $tag"
    "$DOCKER" build --progress plain --secret "id=ca_bundle,src=$CA_BUNDLE" \
        --tag "$tag" --file "$dockerfile" "$@" "${CONTEXT:-$root/docker}" >"$log" 2>&1 || {
        tail -n 60 "$log" >&2
        die "building $tag failed; the whole log: $log"
    }
    bytes=$("$DOCKER" image inspect --format '{{.Size}}' "$tag")
    echo "built $tag: $((bytes / 1000000)) MB, $(($(date +%s) - began)) s"
}
