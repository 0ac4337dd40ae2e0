#!/bin/sh
# engine.sh start|stop|host
#   start   an engine of this checkout's own, unless one answers already
#   stop    the engine that `start` began, and no other
#   host    prints the DOCKER_HOST to use
# Socket and data are below $SPARK_SERVICE_ENGINE_DIR, by default build/engine.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=${SPARK_SERVICE_ENGINE_DIR:-$root/build/engine}
own=unix://$dir/docker.sock
pid_file=$dir/dockerd.pid

answers() {
    DOCKER_HOST=$1 docker version >/dev/null 2>&1
}

given() {
    echo "${DOCKER_HOST:-unix:///var/run/docker.sock}"
}

host() {
    if [ -S "$dir/docker.sock" ] && answers "$own"; then
        echo "$own"
    else
        given
    fi
}

start() {
    answers "$(host)" && return
    command -v dockerd >/dev/null || "$root/.ci/packages" docker.io iptables
    [ "$(id -u)" = 0 ] || {
        echo "no engine answers at $(given), and starting one takes root" >&2
        exit 1
    }
    # The socket's address holds 107 bytes.
    [ ${#dir} -le 90 ] || {
        echo "$dir is too long for a socket; set SPARK_SERVICE_ENGINE_DIR" >&2
        exit 1
    }
    mkdir -p "$dir"
    setsid nohup dockerd --host "$own" --data-root "$dir/data" --exec-root "$dir/exec" \
        --pidfile "$pid_file" >"$dir/dockerd.log" 2>&1 </dev/null &
    tries=0
    until answers "$own"; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ]; then
            tail -n 20 "$dir/dockerd.log" >&2
            exit 1
        fi
        sleep 0.3
    done
    echo "engine at $own"
}

# The pid file may be of a machine that was restarted: only a dockerd with our data folder is ours.
ours() {
    [ -s "$pid_file" ] && tr '\0' ' ' <"/proc/$(cat "$pid_file")/cmdline" 2>/dev/null |
        grep -qF -- "--data-root $dir/data "
}

stop() {
    ours || return 0
    pid=$(cat "$pid_file")
    kill "$pid"
    tries=0
    while [ -d "/proc/$pid" ]; do
        tries=$((tries + 1))
        [ $tries -le 200 ] || {
            echo "the engine (pid $pid) doesn't end" >&2
            exit 1
        }
        sleep 0.3
    done
    echo "engine stopped"
}

case ${1:-} in
start | stop | host) "$1" ;;
*) sed -n '2,6s/^# //p' "$0" >&2 && exit 2 ;;
esac
