#!/bin/bash
# settings.sh PROGRAM: README's settings table names exactly the settings that
# the program knows.
set -eu
program=$1
known=$("$program" --help | sed -n 's/^  --\([a-z-]*\) .*/\1/p' | grep -vE '^(check-config|help)$' |
    tr 'a-z-' 'A-Z_' | sort)
documented=$(sed -n '/^## Settings/,/^## /p' README.md | grep -E '^\|' | cut -d'|' -f2 |
    grep -oE '`[A-Z_]+`' | tr -d '`' | grep -vE '^MYSQL_(HOST|PORT|USER|PASSWORD|PASSWORD_FILE|DATABASE)$' | sort)
if [ "$known" != "$documented" ]; then
    echo "settings: README's table and the program differ (< program, > README):"
    diff <(echo "$known") <(echo "$documented") || true
    exit 1
fi
echo "settings: README names all $(echo "$known" | wc -l)"
