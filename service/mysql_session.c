#include "mysql_session.h"

#include "metrics.h"
#include "mysql_tables.h"

/* What was looked up is still believed. */
static bool is_believed(const struct mysql_shape *shape, struct monotime now)
{
    return monotime_is_set(shape->looked_until) && !monotime_reached(shape->looked_until, now);
}

/* What is known of a statement before it runs. */
static struct mysql_session look_at(struct mysql_connection *connection, const char *sql,
                                    int64_t reuse_ms)
{
    struct mysql_session session = {.connection = connection, .reuse_ms = reuse_ms};
    struct monotime now = monotime_now();

    session.is_plain = sql != NULL && reuse_ms > 0 && mysql_connection_may_be_reused(connection) &&
                       mysql_plain_read(sql, mysql_connection_modes(connection), &session.plain);
    if (session.is_plain) {
        const struct mysql_shape *shape =
            mysql_shapes_find(mysql_connection_shapes(connection), session.plain.shape.data);

        session.is_proven = shape != NULL && shape->proven && is_believed(shape, now);
        session.as_text = session.is_proven && shape->as_text;
        session.came_lately =
            shape != NULL && !monotime_reached(monotime_after(shape->used, reuse_ms), now);
    }
    return session;
}

int mysql_session_begin(struct mysql_connection *connection, const char *sql, int64_t reuse_ms,
                        struct mysql_session *ret_session, struct error *err)
{
    struct mysql_session session = look_at(connection, sql, reuse_ms);

    if (!session.is_proven && !mysql_connection_renew(connection)) {
        mysql_session_drop(&session);
        if (mysql_connection_check(mysql_connection_handle(connection), err) == 0)
            error_set(err, ERROR_ENGINE_ERROR, "MySQL did not make its session new");
        return -1;
    }
    *ret_session = session;
    return 0;
}

/* ---- without asking the server ---- */

/* For so long. */
static bool may_stay(const struct mysql_session *session, int64_t margin_ms)
{
    struct monotime since = mysql_connection_new_since(session->connection);

    return session->is_proven &&
           !monotime_reached(monotime_after(since, session->reuse_ms - margin_ms), monotime_now());
}

bool mysql_session_join(struct mysql_connection *connection, const char *sql, int64_t reuse_ms,
                        int64_t margin_ms, struct mysql_session *ret_session)
{
    struct mysql_session session = look_at(connection, sql, reuse_ms);

    if (!session.as_text || !may_stay(&session, margin_ms)) {
        mysql_session_drop(&session);
        return false;
    }
    *ret_session = session;
    return true;
}

bool mysql_session_settle(struct mysql_session *session)
{
    const struct mysql_shape *shape =
        mysql_shapes_find(mysql_connection_shapes(session->connection), session->plain.shape.data);

    session->stays = may_stay(session, 0) && shape != NULL && is_believed(shape, monotime_now());
    return session->stays;
}

/* ---- what is learned of tables ---- */

static void learn(const struct mysql_session *session, bool exact)
{
    struct mysql_shapes *shapes = mysql_connection_shapes(session->connection);
    const char *text = session->plain.shape.data;
    struct monotime now = monotime_now();
    struct mysql_shape *shape = mysql_shapes_find(shapes, text);

    if (shape == NULL) {
        mysql_shapes_add(shapes, text, now);
        return;
    }
    shape->used = now;
    shape->as_text = exact;
    if (session->stays || !session->came_lately || is_believed(shape, now))
        return;
    shape->proven =
        mysql_tables_are_tables(mysql_connection_handle(session->connection), &session->plain);
    shape->looked_until = monotime_after(now, session->reuse_ms);
}

/* ---- the end ---- */

bool mysql_session_end(struct mysql_session *session, bool fine, bool exact)
{
    bool stays = fine && (session->stays || may_stay(session, 0));
    bool usable = true;

    if (fine && session->is_plain)
        learn(session, exact);
    if (stays)
        metrics_add(METRIC_MYSQL_SESSIONS_KEPT, 1);
    else
        usable = mysql_connection_renew(session->connection);
    mysql_session_drop(session);
    return usable;
}

void mysql_session_drop(struct mysql_session *session)
{
    mysql_plain_done(&session->plain);
    *session = (struct mysql_session){.connection = NULL};
}
