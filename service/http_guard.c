#include "http_guard.h"

#include <string.h>
#include <strings.h>

#define CHUNK_LINE_MAX_BYTES 1024
#define CHUNK_SIZE_MAX_DIGITS 15 /* a body is never near 2^60 bytes */
#define LENGTH_MAX_DIGITS 18     /* fits int64_t */

static const struct http_verdict accepted = {ERROR_NONE, ""};

static struct http_verdict refused(enum error_code code, const char *reason)
{
    return (struct http_verdict){code, reason};
}

static struct http_verdict bad(const char *reason)
{
    return refused(ERROR_BAD_REQUEST, reason);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 9110 §5.6.2. */
static bool is_token_char(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static size_t token_length(const char *text, size_t length)
{
    size_t n = 0;

    while (n < length && is_token_char(text[n]))
        n++;
    return n;
}

static bool name_is(const char *name, size_t length, const char *wanted)
{
    return length == strlen(wanted) && strncasecmp(name, wanted, length) == 0;
}

/* Visible ASCII but what no request-target may hold; '#' starts a fragment,
 * which is never sent. */
static bool is_target_char(char c)
{
    return c > ' ' && c < 0x7F && c != '#';
}

/* The methods a route can be asked about; TRACE is one that no route allows.
 * CONNECT and the methods of other protocols aren't implemented at all. */
static bool is_known_method(const char *method, size_t length)
{
    static const char *const known[] = {"GET",    "HEAD",  "POST",    "PUT",
                                        "DELETE", "PATCH", "OPTIONS", "TRACE"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (length == strlen(known[i]) && memcmp(method, known[i], length) == 0)
            return true;
    }
    return false;
}

static struct http_verdict version_verdict(const char *version, size_t length)
{
    if (length != 8 || memcmp(version, "HTTP/", 5) != 0 || !is_digit(version[5]) ||
        version[6] != '.' || !is_digit(version[7]))
        return bad("the request line doesn't end in an HTTP version");
    if (version[5] != '1')
        return refused(ERROR_HTTP_VERSION, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    return accepted;
}

struct http_verdict http_guard_request_line(const char *line, size_t length,
                                            size_t max_target_bytes)
{
    size_t method_length = token_length(line, length);
    if (method_length == 0 || method_length == length || line[method_length] != ' ')
        return bad("the request line doesn't start with a method and one space");

    const char *target = line + method_length + 1;
    size_t rest = length - method_length - 1;
    size_t target_length = 0;
    while (target_length < rest && is_target_char(target[target_length]))
        target_length++;
    if (target_length > max_target_bytes)
        return refused(ERROR_TARGET_TOO_LARGE, "the request target is too long");
    if (target_length == 0)
        return bad("the request line has no target, or more than one space before it");
    if (target_length == rest)
        return bad("the request line has no HTTP version");
    if (target[target_length] != ' ')
        return bad("a character in the request target isn't allowed there");
    struct http_verdict verdict =
        version_verdict(target + target_length + 1, rest - target_length - 1);
    if (verdict.code == ERROR_NONE && !is_known_method(line, method_length))
        return refused(ERROR_NOT_IMPLEMENTED, "the request method isn't known here");
    return verdict;
}

static struct http_verdict content_length_verdict(const char *value, size_t length)
{
    while (length > 0 && (*value == ' ' || *value == '\t')) {
        value++;
        length--;
    }
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    if (length == 0)
        return bad("Content-Length is empty");
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(value[i]))
            return bad("Content-Length isn't a plain number");
    }
    if (length > LENGTH_MAX_DIGITS)
        return refused(ERROR_BODY_TOO_LARGE, "the request body is too large");
    return accepted;
}

struct http_verdict http_guard_field_line(const char *line, size_t length)
{
    if (length > 0 && (line[0] == ' ' || line[0] == '\t'))
        return bad("a header line is folded");

    size_t name_length = token_length(line, length);
    if (name_length == 0 || name_length == length || line[name_length] != ':')
        return bad("a header line isn't a name, a colon and a value");

    const char *value = line + name_length + 1;
    size_t value_length = length - name_length - 1;
    for (size_t i = 0; i < value_length; i++) {
        unsigned char c = (unsigned char)value[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return bad("a header value holds a control character");
    }
    if (name_is(line, name_length, "Content-Length"))
        return content_length_verdict(value, value_length);
    return accepted;
}

struct http_verdict http_guard_trailer_line(const char *line, size_t length)
{
    static const char *const forbidden[] = {"Content-Length", "Transfer-Encoding", "Host",
                                            "Trailer",        "Connection",        "Expect"};

    struct http_verdict verdict = http_guard_field_line(line, length);
    if (verdict.code != ERROR_NONE)
        return verdict;
    size_t name_length = token_length(line, length);
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        if (name_is(line, name_length, forbidden[i]))
            return bad("a trailer frames or routes the message");
    }
    return accepted;
}

/* '"' ... '"' at `text`: its length with the quotes, 0 when it isn't one. */
static size_t quoted_length(const char *text, size_t length)
{
    if (length == 0 || text[0] != '"')
        return 0;
    for (size_t i = 1; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"')
            return i + 1;
        if (c == '\\')
            i++;
        else if ((c < ' ' && c != '\t') || c == 0x7F)
            return 0;
    }
    return 0;
}

/* *( ";" name [ "=" ( token / quoted-string ) ] ) */
static bool is_chunk_extension(const char *text, size_t length)
{
    while (length > 0) {
        if (*text != ';')
            return false;
        size_t name_length = token_length(text + 1, length - 1);
        if (name_length == 0)
            return false;
        text += 1 + name_length;
        length -= 1 + name_length;
        if (length == 0 || *text != '=')
            continue;
        size_t value_length = token_length(text + 1, length - 1);
        if (value_length == 0)
            value_length = quoted_length(text + 1, length - 1);
        if (value_length == 0)
            return false;
        text += 1 + value_length;
        length -= 1 + value_length;
    }
    return true;
}

struct http_verdict http_guard_chunk_line(const char *line, size_t length)
{
    size_t digits = 0;

    if (length > CHUNK_LINE_MAX_BYTES)
        return bad("a chunk-size line is too long");
    while (digits < length && is_hex_digit(line[digits]))
        digits++;
    if (digits == 0)
        return bad("a chunk size isn't a plain hexadecimal number");
    if (digits > CHUNK_SIZE_MAX_DIGITS)
        return refused(ERROR_BODY_TOO_LARGE, "the request body is too large");
    if (!is_chunk_extension(line + digits, length - digits))
        return bad("a chunk size is followed by something that isn't an extension");
    return accepted;
}

/* uri-host [ ":" port ], RFC 3986 §3.2.2 without userinfo. */
static bool is_host(const char *host)
{
    const char *at = host;

    if (*at == '[') {
        at++;
        while (is_hex_digit(*at) || *at == ':' || *at == '.')
            at++;
        if (at == host + 1 || *at != ']')
            return false;
        at++;
    } else {
        while (is_alnum(*at) || (*at != '\0' && strchr("-._~%!$&'()*+,;=", *at) != NULL))
            at++;
        if (at == host)
            return false;
    }
    if (*at != ':')
        return *at == '\0';
    at++;
    while (is_digit(*at))
        at++;
    return *at == '\0';
}

/* The header facts that decide about the message. */
struct head_facts {
    const char *host;
    int host_count;
    const char *coding;
    int coding_count;
    const char *length;
    int length_count;
    bool expects_continue;
    bool expects_other;
};

static void note_field(struct head_facts *facts, const char *name, const char *value)
{
    if (strcasecmp(name, "Host") == 0) {
        facts->host = value;
        facts->host_count++;
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        facts->coding = value;
        facts->coding_count++;
    } else if (strcasecmp(name, "Content-Length") == 0) {
        facts->length = value;
        facts->length_count++;
    } else if (strcasecmp(name, "Expect") == 0) {
        if (strcasecmp(value, "100-continue") == 0)
            facts->expects_continue = true;
        else
            facts->expects_other = true;
    }
}

static struct http_verdict host_verdict(const struct http_head *head,
                                        const struct head_facts *facts)
{
    if (facts->host_count > 1)
        return bad("more than one Host header");
    if (facts->host_count == 0)
        return head->http_1_0 ? accepted : bad("no Host header");
    if (!is_host(facts->host))
        return bad("the Host header isn't a host name");
    return accepted;
}

/* origin-form, absolute-form that agrees with Host, or "*" of OPTIONS (RFC 9112 §3.2). */
static struct http_verdict target_verdict(const struct http_head *head, const char *host,
                                          const char **ret_origin)
{
    const char *target = head->target;

    if (target[0] == '/') {
        *ret_origin = target;
        return accepted;
    }
    if (strcmp(target, "*") == 0 && head->method == METHOD_OPTIONS) {
        *ret_origin = target;
        return accepted;
    }

    const char *authority;
    if (strncasecmp(target, "http://", 7) == 0)
        authority = target + 7;
    else if (strncasecmp(target, "https://", 8) == 0)
        authority = target + 8;
    else
        return bad("the request target isn't a path or an http URI");

    size_t authority_length = strcspn(authority, "/?");
    if (host == NULL || !name_is(authority, authority_length, host))
        return bad("the request target and the Host header name different hosts");
    *ret_origin = authority + authority_length;
    return accepted;
}

/* Where the body ends (RFC 9112 §6.3). */
static struct http_verdict length_verdict(const struct http_head *head,
                                          const struct head_facts *facts,
                                          struct http_framing *framing)
{
    if (facts->coding_count > 0 && facts->length_count > 0)
        return bad("both Transfer-Encoding and Content-Length");
    if (facts->coding_count > 0 && head->http_1_0)
        return bad("Transfer-Encoding in an HTTP/1.0 request");
    if (facts->coding_count > 1 ||
        (facts->coding_count == 1 && strcasecmp(facts->coding, "chunked") != 0))
        return refused(ERROR_NOT_IMPLEMENTED, "the only transfer coding known here is chunked");
    if (facts->length_count > 1)
        return bad("more than one Content-Length");

    framing->chunked = facts->coding_count == 1;
    framing->content_length = 0;
    if (facts->length_count == 1) {
        for (const char *digit = facts->length; is_digit(*digit); digit++)
            framing->content_length = framing->content_length * 10 + (uint64_t)(*digit - '0');
    }
    if (framing->content_length > head->max_body_bytes)
        return refused(ERROR_BODY_TOO_LARGE, "the request body is too large");
    return accepted;
}

struct http_verdict http_guard_head(const struct http_head *head, struct http_framing *ret_framing)
{
    struct head_facts facts = {0};
    struct http_framing framing = {0};
    struct http_verdict verdict;

    for (const char *name = head->fields; name < head->fields_end;) {
        const char *value = name + strlen(name) + 1;
        note_field(&facts, name, value);
        name = value + strlen(value) + 1;
    }

    verdict = host_verdict(head, &facts);
    if (verdict.code == ERROR_NONE)
        verdict = target_verdict(head, facts.host, &framing.origin);
    if (verdict.code == ERROR_NONE)
        verdict = length_verdict(head, &facts, &framing);
    if (verdict.code != ERROR_NONE)
        return verdict;

    /* An HTTP/1.0 client can't wait for an interim answer (RFC 9110 §10.1.1). */
    if (!head->http_1_0) {
        if (facts.expects_other)
            return refused(ERROR_EXPECTATION_FAILED, "only Expect: 100-continue is known here");
        framing.expects_continue = facts.expects_continue;
    }
    *ret_framing = framing;
    return accepted;
}
