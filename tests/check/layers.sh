#!/bin/sh
# layers.sh: dependencies point downwards only. Each line below is one border:
# a header, and the only files that may include it.
set -eu
bad=0
only() { # only HEADER-PATTERN ALLOWED-FILES-REGEX
    found=$(git ls-files -co --exclude-standard 'service/*.[ch]' 'service/*.cc' 'jni/*.[ch]' |
        xargs grep -lE "#include [<\"]([a-z0-9_./]*/)?$1[>\"]" | grep -vE "^($2)$" || true)
    if [ -n "$found" ]; then
        echo "layers: <$1> may not be included by:" $found
        bad=1
    fi
}
only 'jni\.h' 'jni/.*'
only '(jvm|bridge_call|bridge_answer)\.h' 'jni/.*'
only 'mysql\.h' 'service/mysql_(.*\.c|batch\.h)'
only 'mysql_cursor\.h' 'service/mysql_(engine|begun)\.c'
only 'mysql_steps\.h' 'service/mysql_(steps|begun|rows|connection)\.c|service/mysql_cursor\.h'
only '(zlib|zstd)\.h' 'service/content_coding\.c'
only 'result_writer_class\.h' 'service/result_.*\.c'
only 'llhttp\.h' 'service/http_reader\.c'
only 'openssl/.*' 'service/(digest|tls_.*|probe|mysql_steps)\.[ch]'
only 'sqlite3\.h' 'service/job_store.*\.c'
only 'spark_engine\.h' 'jni/.*|service/(main|engine_life|worker_pool|query_runner|spark_request|canceller|canary|engine_facts)\.[ch]'
only 'http_connection\.h' 'service/http_.*'
# Workers never touch a connection; the loop never calls the engine.
only 'http_(reply|server|connection)\.h' \
    'service/(http_.*|router|main|health|query_handler|queries_handler|query_machine|kept_results|kept_answers|query_reply|query_log|query_audit|queries|delivery|metrics_page|access_log|console)\.[ch]'
# Pure modules know neither loop nor threads nor engine.
for module in query_request query_target query_string token_file token_file_io rate_limit digest problem \
    data_roots path_syntax path_beneath sources_file secret_file mysql_target error byte_buffer \
    answer_basis run_history cache_doubt cache_key entity_tag media_type accept_list \
    result_format result_writer result_json result_envelope result_pages content_coding sql_type \
    mysql_greeting mysql_lexer mysql_plain mysql_shapes mysql_statement mysql_gate mysql_params mysql_errors \
    no_children thread_nice arrow_ipc_write arrow_ipc_schema arrow_ipc_read arrow_ipc_read_schema flatbuffer_write flatbuffer_read; do
    if grep -nE '#include [<"](event2/|pthread|.*spark_engine|http_|mysql\.h)' "service/$module.c"; then
        echo "layers: $module is a pure module"
        bad=1
    fi
done
# Anybody may hold what the engine told; it is values only.
if grep -nE '#include "' jni/spark_facts.h; then
    echo "layers: spark_facts is values only"
    bad=1
fi
# From jni/ upwards only these: values, not behaviour.
found=$(grep -nE '#include "\.\./service/' jni/*.c jni/*.h |
    grep -vE 'service/(error|byte_buffer|arrow_c_data|explanation|answer_basis|no_children|thread_nice)\.h' || true)
if [ -n "$found" ]; then
    echo "layers: jni/ may only use error, byte_buffer, arrow_c_data, explanation, answer_basis, no_children and thread_nice of service/:"
    echo "$found"
    bad=1
fi
[ $bad = 0 ] && echo "layers: fine"
exit $bad
