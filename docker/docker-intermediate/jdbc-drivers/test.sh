#!/bin/sh
# test.sh LINE [IMAGE]
set -eu
line=$1
. "$(dirname "$0")/../../base/test-lib.sh"
image=${2:-jdbc-drivers:$line}
parent docker-intermediate/python-deps
python_checks "$root/docker/docker-intermediate/jdbc-drivers/checks.py" \
    --env MYSQL_JDBC="$MYSQL_JDBC" --env MSSQL_JDBC="$MSSQL_JDBC" --env POSTGRESQL_JDBC="$POSTGRESQL_JDBC" \
    --env ORACLE_JDBC="$ORACLE_JDBC" --env VERTICA_JDBC="$VERTICA_JDBC" "$image"
exit $status
