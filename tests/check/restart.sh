#!/bin/sh
# restart.sh: who leaves with exit code 75 (slots lost) has to be started again, by
# compose and by Kubernetes.
set -eu
bad=0
# The lines of one service of compose.yaml.
service() { awk -v name="  $1:" '$0 == name {inside = 1; next} /^  [^ ]/ {inside = 0} inside' compose.yaml; }
if ! service spark-service | grep -qE '^    restart: (always|unless-stopped|on-failure)$'; then
    echo "restart: spark-service of compose.yaml is not restarted"
    bad=1
fi
if ! grep -qE '^      restartPolicy: Always' docker/k8s/spark-service.yaml; then
    echo "restart: docker/k8s/spark-service.yaml doesn't say restartPolicy: Always"
    bad=1
fi
# A liveness probe that asks for readiness would restart the service for what it survives.
if ! grep -A1 'livenessProbe:' docker/k8s/spark-service.yaml | grep -q '/livez'; then
    echo "restart: the liveness probe has to ask /livez"
    bad=1
fi
[ $bad = 0 ] && echo "restart: compose and Kubernetes start it again"
exit $bad
