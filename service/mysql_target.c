#include "mysql_target.h"

#include <stdlib.h>
#include <string.h>

#include "secret_file.h"

static const char *const TLS_MODES[] = {
    [MYSQL_TLS_PREFERRED] = "preferred",
    [MYSQL_TLS_DISABLED] = "disabled",
    [MYSQL_TLS_REQUIRED] = "required",
    [MYSQL_TLS_VERIFY_CA] = "verify_ca",
    [MYSQL_TLS_VERIFY_IDENTITY] = "verify_identity",
};

const char *mysql_tls_mode_name(enum mysql_tls_mode mode)
{
    return TLS_MODES[mode];
}

bool mysql_tls_mode_parse(const char *name, enum mysql_tls_mode *ret_mode)
{
    for (size_t i = 0; i < sizeof(TLS_MODES) / sizeof(TLS_MODES[0]); i++) {
        if (strcmp(name, TLS_MODES[i]) == 0) {
            *ret_mode = (enum mysql_tls_mode)i;
            return true;
        }
    }
    return false;
}

static char *copy_text(const char *text, bool *failed)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    *failed |= text != NULL && copy == NULL;
    return copy;
}

int mysql_target_copy(const struct mysql_target *target, struct mysql_target *ret_copy)
{
    bool failed = false;

    *ret_copy = *target; /* what is no pointer */
    ret_copy->name = copy_text(target->name, &failed);
    ret_copy->host = copy_text(target->host, &failed);
    ret_copy->user = copy_text(target->user, &failed);
    ret_copy->password = copy_text(target->password, &failed);
    ret_copy->database = copy_text(target->database, &failed);
    ret_copy->tls.ca = copy_text(target->tls.ca, &failed);
    ret_copy->tls.cert = copy_text(target->tls.cert, &failed);
    ret_copy->tls.key = copy_text(target->tls.key, &failed);
    if (!failed)
        return 0;
    mysql_target_done(ret_copy);
    return -1;
}

static bool same_text(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static bool same_tls(const struct mysql_tls *one, const struct mysql_tls *other)
{
    return one->mode == other->mode && same_text(one->ca, other->ca) &&
           same_text(one->cert, other->cert) && same_text(one->key, other->key);
}

/* The name too: each source has a pool of its own. */
bool mysql_target_is_same(const struct mysql_target *one, const struct mysql_target *other)
{
    return one->port == other->port && one->connect_ms == other->connect_ms &&
           one->socket_ms == other->socket_ms && one->pool_size == other->pool_size &&
           one->writes == other->writes && same_text(one->name, other->name) &&
           same_text(one->host, other->host) && same_text(one->user, other->user) &&
           same_text(one->password, other->password) && same_text(one->database, other->database) &&
           same_tls(&one->tls, &other->tls);
}

void mysql_target_done(struct mysql_target *target)
{
    secret_text_free(target->password);
    free(target->name);
    free(target->host);
    free(target->user);
    free(target->database);
    free(target->tls.ca);
    free(target->tls.cert);
    free(target->tls.key);
    memset(target, 0, sizeof(*target));
}
