/*
 * query_status: one query as the JSON object that GET /api/spark/queries/{id}
 * and a 202 answer.   [loop]
 */
#ifndef SERVICE_QUERY_STATUS_H
#define SERVICE_QUERY_STATUS_H

#define QUERIES_PATH "/api/spark/queries"

struct byte_buffer;
struct engine_facts;
struct query;

/* `facts` NULL: the engine isn't up, nothing is known of its progress. */
void query_status_append(struct byte_buffer *out, const struct query *query,
                         struct engine_facts *facts);

#endif
