#!/bin/sh
# ensure-base.sh IMAGE...: the image is there, is pulled, or is made from packages on this machine:
#   debian:<suite>-slim   from the apt sources of this machine
#   node:18-slim          Debian's nodejs on it, with npm 10
# PULL_TIMEOUT (300) bounds the pull in seconds.
set -eu
. "$(dirname "$0")/lib.sh"

present() {
    "$DOCKER" image inspect "$1" >/dev/null 2>&1
}

pull() {
    timeout "${PULL_TIMEOUT:-300}" "$DOCKER" pull -q "$1" >/dev/null 2>&1
}

apt_sources() {
    for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
        [ -s "$file" ] && echo "$file" && return
    done
    die "this machine has no Debian sources to make an image from"
}

# Shaped as the published slim image: merged /usr, no manuals, no lists. openjdk's scripts want the
# folder man1.
make_debian() {
    suite=${1#debian:}
    suite=${suite%-slim}
    "$root/.ci/packages" mmdebstrap
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # shellcheck disable=SC2016 # $1 is mmdebstrap's
    mmdebstrap --quiet --variant=minbase --include=usr-is-merged \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook="upload $root/docker/base/apt-in-image.conf /etc/apt/apt.conf.d/docker-clean" \
        --customize-hook='mkdir -p "$1"/usr/share/man/man1 "$1"/usr/share/man/man8' \
        --customize-hook='cd "$1" && rm -rf var/lib/apt/lists/* var/cache/apt/*.bin var/log/*.log var/log/apt \
            etc/apt/apt.conf.d/99mmdebstrap etc/resolv.conf etc/hostname' \
        "$suite" "$work/root.tar" "$(apt_sources)" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        die "making $1 failed"
    }
    "$DOCKER" import --change 'CMD ["bash"]' --message "made from Debian's packages" \
        "$work/root.tar" "$1" >/dev/null
}

make_node() {
    ensure debian:bookworm-slim
    build_image "$1" "$root/docker/base/Dockerfile.node"
}

ensure() {
    present "$1" && return
    pull "$1" && echo "pulled $1" && return
    echo "$1 can't be pulled here: making it from packages"
    case $1 in
    debian:*-slim) make_debian "$1" ;;
    node:18-slim) make_node "$1" ;;
    *) die "no recipe for $1: give an image that can be pulled" ;;
    esac
}

[ $# -gt 0 ] || die "which image?"
for image in "$@"; do
    ensure "$image"
done
