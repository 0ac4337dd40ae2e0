#!/bin/bash
# dev.sh run|start|stop LINE: what `make run`, `make start` and `make stop` do,
# over the sample data below build/. Settings of the environment win.
set -eu
cd "$(dirname "$0")/.."
build=$PWD/build
program=$build/bin/spark-service
pid_file=$build/state/pid
log_file=$build/state/log

export SPARK_SERVICE_SPARK_LINE=$2
export SPARK_SERVICE_DATA_ROOTS=${SPARK_SERVICE_DATA_ROOTS:-$build/sample}
export SPARK_SERVICE_STATE_DIR=${SPARK_SERVICE_STATE_DIR:-$build/state}
address=${SPARK_SERVICE_LISTEN:-127.0.0.1:8000}

say_ready() {
    local url=http://${address%%,*}/api/spark
    cat <<EOF

spark-service is ready at http://${address%%,*} . Try:

curl -s $url/health
curl -s $url/query/parquet -H 'Content-Type: application/json' -d '{"path":"$build/sample/parquet/users","sql":"SELECT id, name, city FROM parquet_data ORDER BY id LIMIT 3"}'
curl -s $url/query/delta -H 'Content-Type: application/json' -d '{"sql":"SELECT city, count(*) AS users FROM delta.\`$build/sample/delta/users\` GROUP BY city ORDER BY city LIMIT 3"}'

EOF
}

# Ends without a word when the service does.
wait_ready() {
    until "$program" probe ready >/dev/null; do
        kill -0 "$1" 2>/dev/null || return 1
        sleep 0.2
    done
}

case $1 in
run)
    "$program" --check-config >/dev/null
    main=$$
    (wait_ready $main && say_ready) &
    exec "$program"
    ;;
start)
    "$program" --check-config >/dev/null
    mkdir -p "$build/state"
    setsid "$program" >"$log_file" 2>&1 </dev/null &
    echo $! >"$pid_file"
    if ! wait_ready "$(cat "$pid_file")"; then
        cat "$log_file"
        exit 1
    fi
    say_ready
    echo "log: $log_file; make stop ends it"
    ;;
stop)
    [ -f "$pid_file" ] || { echo "nothing to stop"; exit 0; }
    pid=$(cat "$pid_file")
    kill -TERM "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    rm -f "$pid_file"
    echo "stopped"
    ;;
esac
