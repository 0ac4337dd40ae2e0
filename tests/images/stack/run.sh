#!/bin/sh
# run.sh PYTHON [PYTEST-ARGUMENT...]: the images, then the tests. Ends the engine if it began one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../../..
python=$1
shift
began=$("$root/docker/base/engine.sh" start)
trap '[ -z "$began" ] || "$root/docker/base/engine.sh" stop' EXIT
"$root/docker/stack-images.sh" "$SPARK"
"$here/s3/build.sh"
"$python" -m pytest "$here" "$@"
