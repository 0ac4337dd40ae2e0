#!/bin/sh
# install.sh FOLDER: the packages that BUILD_ICEBERG_DEPS and BUILD_GPU_DEPS ask for. RESOLVE_ONLY=1 only
# looks whether they can be had together.
set -eu
folder=$1
mkdir -p "$folder"
set -- requirements-base.txt
[ "$BUILD_ICEBERG_DEPS" != true ] || set -- "$@" requirements-iceberg.txt
[ "$BUILD_GPU_DEPS" != true ] || set -- "$@" requirements-gpu.txt
for file in "$@"; do
    # --no-deps: the files name all there is, and each fits to what the image has.
    python3 -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --only-binary :all: \
        --require-hashes --upgrade --target "$folder" --requirement "$file" ${RESOLVE_ONLY:+--dry-run}
done
