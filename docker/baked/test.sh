#!/bin/bash
# test.sh: the image, the Job manifest, the job itself beside an S3-compatible server, and the push.
# PYTHON: one that has kubernetes-validate and PyYAML (`make test-images` brings it).
# shellcheck disable=SC2317 # functions that `check` and `trap` call
set -euo pipefail
LIB=../base
# shellcheck source=../base/test-lib.sh
. "$(dirname "$0")/../base/test-lib.sh"
here=$root/docker/baked
image=spark-baked:$BAKED_SPARK-$BAKED_PHASE
PYTHON=${PYTHON:-python3}

promises() {
    check "$image is there and runs" in_image "$image" true
    check "spark-submit --version" contains "version $BAKED_SPARK" in_image "$image" spark-submit --version
    check "OpenJDK 17" contains 'openjdk version "17.' in_image "$image" java -version
    check "hadoop-aws in its folder" contains "hadoop-aws-$BAKED_HADOOP.jar" \
        in_image "$image" sh -c 'ls -lh /opt/spark/jars/hadoop-aws-*.jar'
    check "pyarrow imports" in_image "$image" python3 -c 'import pyarrow'
    python_checks "$here/checks.py" --env HADOOP_AWS="hadoop-aws-$BAKED_HADOOP.jar" \
        --env SDK="aws-java-sdk-bundle-$BAKED_AWS_SDK.jar" \
        --env POSTGRESQL="postgresql-$BAKED_POSTGRESQL_JDBC.jar" "$image"
    "$PYTHON" "$here/check_manifest.py" "$here/bronze-ingest-job.yml" "$image" || status=1
}

# beside_s3 COMMAND...: in the baked image, on a network with the object store and nothing else
beside_s3() {
    "$DOCKER" run --rm --interactive --network "$network" --read-only --tmpfs /tmp:exec,mode=1777 --cap-drop ALL \
        --security-opt no-new-privileges --memory 3g --env S3_ENDPOINT=http://object-store:5000 \
        --env AWS_ACCESS_KEY_ID=key --env AWS_SECRET_ACCESS_KEY=secret "$image" "$@"
}

job() {
    "$root/tests/images/stack/s3/build.sh"
    network=spark-baked-test-$$
    "$DOCKER" network create --internal "$network" >/dev/null
    "$DOCKER" run --detach --name "$network" --network "$network" --network-alias object-store \
        "spark-service-test-s3:$MOTO" >/dev/null
    readarray -t args < <("$PYTHON" -c 'import sys, yaml
job = next(yaml.safe_load_all(open(sys.argv[1])))
print("\n".join(job["spec"]["template"]["spec"]["containers"][0]["args"]))' "$here/bronze-ingest-job.yml")
    check "the object store takes the job's files" beside_s3 python3 - before <"$here/test_job.py"
    check "the job runs with the manifest's command" contains "3 rows in s3a://bronze/events/" beside_s3 "${args[@]}"
    check "the job's rows are in the object store" beside_s3 python3 - after <"$here/test_job.py"
}

tiny_image() {
    printf 'FROM debian:bookworm-slim\nLABEL made=%s\n' "$1" |
        "$DOCKER" build --quiet --tag "spark-baked:$BAKED_SPARK-$phase" - >/dev/null
}

# push.sh on an image of a few MB under a phase of its own: what it does is the same.
push() {
    phase=pushtest-$$
    "$root/docker/base/ensure-base.sh" debian:bookworm-slim
    build_image spark-baked-test-registry "$here/Dockerfile.registry"
    registry=$("$DOCKER" run --detach --publish 127.0.0.1::5000 spark-baked-test-registry)
    address=$("$DOCKER" port "$registry" 5000/tcp)
    tries=0
    until (: <"/dev/tcp/${address%:*}/${address#*:}") 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || die "the registry doesn't listen: $("$DOCKER" logs "$registry" 2>&1)"
        sleep 0.1
    done
    tiny_image one
    export PHASE=$phase
    check "push without a registry is an error" refused IMAGE_REGISTRY= "$here/push.sh"
    export IMAGE_REGISTRY=$address/team
    check "push, and the registry has that digest" contains "pushed $IMAGE_REGISTRY/spark-baked@sha256:" "$here/push.sh"
    check "the same image again is no change" "$here/push.sh"
    tiny_image two
    check "another image under the same tag is refused" refused "$here/push.sh"
    "$DOCKER" rmi "spark-baked:$BAKED_SPARK-$phase" "$IMAGE_REGISTRY/spark-baked:$BAKED_SPARK-$phase" >/dev/null 2>&1 || true
}

refused() {
    ! env "$@"
}

network='' registry=''
tidy() {
    for container in $registry $network; do
        "$DOCKER" rm --force --volumes "$container" >/dev/null || true
    done
    [ -z "$network" ] || "$DOCKER" network rm "$network" >/dev/null || true
}
trap tidy EXIT

promises
job
push
exit $status
