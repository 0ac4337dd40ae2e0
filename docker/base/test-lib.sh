# shellcheck shell=sh
# For `.` in a layer's test.sh, beside lib.sh: test.sh LINE [IMAGE] prints `ok NAME` and `not ok NAME: why`, and
# fails when one isn't ok. A layer runs its parent's test.sh on its own image first.
# The caller sets line and image, and ends with `exit $status`.
# shellcheck source=lib.sh disable=SC2154,SC2034
. "$(dirname "$0")/${LIB:-../../base}/lib.sh"

status=0

# in_image OPTION... IMAGE COMMAND...: as little as a container can have. No network: nothing is downloaded, and
# no name but localhost resolves, not even the container's own.
in_image() {
    "$DOCKER" run --rm --interactive --network none --hostname localhost --read-only --tmpfs /tmp:exec,mode=1777 \
        --cap-drop ALL --security-opt no-new-privileges --memory 2g \
        --env JAVA_TOOL_OPTIONS="-XX:TieredStopAtLevel=1 -Xshare:auto" "$@"
}

# check NAME COMMAND...: what it prints is shown when it fails
check() {
    name=$1
    shift
    if output=$("$@" 2>&1); then
        echo "ok $name"
    else
        echo "not ok $name: $(echo "$output" | tail -n 3 | tr '\n' ' ')"
        echo "$output" >&2
        status=1
    fi
}

# python_checks FILE OPTION... IMAGE: FILE, after base/checks.py, inside the image
python_checks() {
    file=$1
    shift
    cat "$root/docker/base/checks.py" "$file" | in_image "$@" python3 - || status=1
}

# parent FOLDER: its test, on this image
parent() {
    "$root/docker/$1/test.sh" "$line" "$image" || status=1
}

# contains TEXT COMMAND...
contains() {
    text=$1
    shift
    found=$("$@" 2>&1) || {
        echo "$found"
        return 1
    }
    case $found in *"$text"*) ;; *) echo "no '$text' in: $found" && return 1 ;; esac
}

# label NAME: of the image; labels come down from the layers below
label() {
    "$DOCKER" image inspect --format "{{index .Config.Labels \"$1\"}}" "$image"
}

has_label() {
    value=$(label "$1")
    [ "$value" = "$2" ] || {
        echo "label $1 is '$value', not '$2'"
        return 1
    }
}
