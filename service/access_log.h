/*
 * access_log: one line and one count for each HTTP request, when its answer has
 * left or can't leave any more.   [loop]
 *
 *   msg=request method=POST route=/api/spark/query/parquet status=200 bytes=812
 *   duration_us=5120 client=10.0.0.7:41234 query_id=... trace_id=... parent_id=...
 *
 * The route is the table's pattern, never the path as sent: no caller's text and
 * no SQL of a GET gets into the line. status=0: the client left before there was
 * an answer. A line of its own beside the query's: a query may have no request
 * (asynchronous) or many, and most requests are no query; query_id joins them.
 */
#ifndef SERVICE_ACCESS_LOG_H
#define SERVICE_ACCESS_LOG_H

struct http_exchange;
struct http_record;

/* The head is in: notes route and trace. */
void access_log_begin(struct http_exchange *exchange, int route);

/* The callback `ended` of http_server; `user` is the struct service. */
void access_log_end(const struct http_record *record, void *user);

#endif
