#!/bin/sh
# run.sh SECONDS FOLDER TARGET...: each libFuzzer target for so long, from its
# committed corpus. What finds new code goes to FOLDER/<target>; an input that
# fails is left in FOLDER and ends with exit 1: commit it into the corpus with
# its fix.
set -eu
seconds=$1
folder=$2
shift 2
failed=0
for target in "$@"; do
    name=$(basename "$target")
    name=${name#fuzz_}
    mkdir -p "$folder/$name"
    echo "== $name for $seconds s"
    # 0.5 GiB and 5 s an input, on a busy machine too: more is a defect.
    if ! ASAN_OPTIONS=quarantine_size_mb=16 UBSAN_OPTIONS=print_stacktrace=1 \
        "$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=512 -max_len=4096 \
        -artifact_prefix="$folder/$name-" -print_final_stats=1 \
        "$folder/$name" "tests/fuzz/corpus/$name" >"$folder/$name.log" 2>&1; then
        failed=1
        tail -n 40 "$folder/$name.log"
    fi
    grep -E '^#[0-9]+.*(DONE|pulse)' "$folder/$name.log" | tail -n 1
done
exit $failed
