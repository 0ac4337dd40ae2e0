#!/bin/sh
# run.sh PROGRAM: one unit test program, its report and log below $REPORTS; says what failed.
set -u
name=$(basename "$1")
report=$REPORTS/$name.xml
rm -f "$report"
if ! CMOCKA_MESSAGE_OUTPUT=XML CMOCKA_XML_FILE="$report" timeout 120 "$1" > "$REPORTS/$name.log" 2>&1; then
    echo "FAILED $name:"
    tail -n 40 "$REPORTS/$name.log"
    [ ! -f "$report" ] || grep -A8 '<failure' "$report"
    exit 1
fi
