#!/bin/sh
# coverage.sh FOLDER MIN: the line coverage of service/ by the counts below
# FOLDER, its ten barest files, and exit 1 below MIN per cent.
set -eu
report=$(gcovr --root . --object-directory "$1" --filter 'service/.*\.(c|cc|h)$' -j 2 \
    --exclude-unreachable-branches --exclude-throw-branches --gcov-ignore-parse-errors "$1")
echo "$report" | awk '/^service\// { print $4, $2, $3, $1 }' | sort -n | head -10 |
    while read -r percent lines run file; do
        echo "    $percent of $lines lines: $file"
    done
percent=$(echo "$report" | awk '/^TOTAL/ { printf "%.1f", 100 * $3 / $2 }')
echo "C line coverage $percent %"
awk -v percent="$percent" -v min="$2" 'BEGIN { exit percent < min }'
