/*
 * query_status: one query as the JSON object that GET /api/spark/queries/{id}
 * and a 202 answer.   [loop]
 */
#ifndef SERVICE_QUERY_STATUS_H
#define SERVICE_QUERY_STATUS_H

struct byte_buffer;
struct query;

void query_status_append(struct byte_buffer *out, const struct query *query);

#endif
