#include "spark_request.h"

#include <stdio.h>
#include <stdlib.h>

#include "mysql_gate.h"
#include "mysql_params.h"
#include "query.h"

/* What the bridge needs of a MySQL statement: `?` for each :name, and the values. */
static int bind_statement(struct spark_request *request, const struct query_request *asked,
                          struct error *err)
{
    const struct mysql_modes usual = {0};
    struct mysql_values values = {0};

    if (mysql_gate_check(asked->sql, usual, err) != 0 ||
        mysql_statement_parse(asked->sql, usual, &request->statement, err) != 0 ||
        mysql_params_bind(&request->statement, asked->params_json, &values, err) != 0)
        return -1;
    request->values_json = mysql_values_to_json(&values);
    mysql_values_done(&values);
    if (request->values_json == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    request->query.sql = request->statement.text;
    request->query.params_json = request->values_json;
    request->query.mysql_usual_quotes = !mysql_statement_is_same_in_all_modes(asked->sql);
    return 0;
}

int spark_request_init(struct spark_request *request, const struct query *query, const char *path,
                       struct error *err)
{
    const struct query_request *asked = &query->request;

    *request = (struct spark_request){0};
    snprintf(request->snapshot_id, sizeof(request->snapshot_id), "%lld",
             (long long)asked->as_of.snapshot_id);
    request->query = (struct spark_query){
        .tag = query->tag,
        .source = query_source_name(asked->source),
        .sql = asked->sql,
        .path = path,
        .table = asked->table,
        .params_json = asked->params_json,
        .as_of_version = asked->as_of.has_version ? asked->as_of.version : -1,
        .as_of_snapshot_id = asked->as_of.has_snapshot_id ? request->snapshot_id : NULL,
        .as_of_timestamp = asked->as_of.timestamp,
        .row_limit = asked->row_limit,
        .timeout_ms = query_time_left_ms(query),
        .mysql_host = query->mysql.host,
        .mysql_port = query->mysql.port,
        .mysql_user = query->mysql.user,
        .mysql_password = query->mysql.password,
        .mysql_database = query->mysql.database,
        .mysql_tls_mode = mysql_tls_mode_name(query->mysql.tls.mode),
        .mysql_tls_ca = query->mysql.tls.ca,
        .mysql_tls_cert = query->mysql.tls.cert,
        .mysql_tls_key = query->mysql.tls.key,
        .mysql_connect_ms = query->mysql.connect_ms,
        .mysql_socket_ms = query->mysql.socket_ms,
        .mysql_writes = query->mysql.writes,
    };
    if (asked->source == QUERY_MYSQL && bind_statement(request, asked, err) != 0) {
        spark_request_done(request);
        return -1;
    }
    return 0;
}

void spark_request_done(struct spark_request *request)
{
    mysql_statement_done(&request->statement);
    free(request->values_json);
    request->values_json = NULL;
}
