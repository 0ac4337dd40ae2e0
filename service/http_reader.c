#include "http_reader.h"

#include <event2/buffer.h>
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

#include "http_exchange.h"

#define REQUEST_LINE_EXTRA_BYTES 64 /* method, version, spaces, CRLF */

/* A body nobody wants is read to keep the connection only when it is small. */
#define SKIP_MAX_BYTES ((uint64_t)64 * 1024)

/* What the next bytes of a request are. */
enum request_part {
    PART_REQUEST_LINE,
    PART_HEADERS,
    PART_BODY,
    PART_CHUNK_SIZE,
    PART_CHUNK_DATA,
    PART_CHUNK_END,
    PART_TRAILERS,
    PART_NONE /* the request is whole */
};

struct http_reader {
    llhttp_t parser; /* fed with what http_guard let through, one request at a time */
    const struct http_server_config *config;
    struct http_exchange *exchange; /* NULL: skipping */
    enum request_part part;
    enum http_reader_event event;
    struct http_verdict verdict;
    struct http_framing framing;
    size_t field_bytes;  /* header lines, then trailer lines, so far */
    uint64_t body_bytes; /* announced so far */
    uint64_t part_left;  /* of a body or a chunk */
    bool blank_seen;     /* the one empty line before a request line */
};

static const struct http_verdict accepted = {ERROR_NONE, ""};

static struct http_verdict refused(enum error_code code, const char *reason)
{
    return (struct http_verdict){code, reason};
}

/* -- llhttp callbacks: they only collect ----------------------------------- */

static int on_url(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_reader *reader = parser->data;

    byte_buffer_append(&reader->exchange->text, bytes, length);
    return 0;
}

static int on_url_complete(llhttp_t *parser)
{
    struct http_reader *reader = parser->data;

    byte_buffer_append_char(&reader->exchange->text, '\0');
    reader->exchange->fields_at = reader->exchange->text.length;
    return 0;
}

/* Trailers are read, checked and dropped: nothing here wants any. */
static bool collects_fields(const struct http_reader *reader)
{
    return reader->part == PART_HEADERS;
}

static int on_field_bytes(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_reader *reader = parser->data;

    if (collects_fields(reader))
        byte_buffer_append(&reader->exchange->text, bytes, length);
    return 0;
}

static int on_field_name_complete(llhttp_t *parser)
{
    struct http_reader *reader = parser->data;

    if (collects_fields(reader))
        byte_buffer_append_char(&reader->exchange->text, '\0');
    return 0;
}

static int on_field_value_complete(llhttp_t *parser)
{
    struct http_reader *reader = parser->data;

    if (!collects_fields(reader))
        return 0;
    struct byte_buffer *text = &reader->exchange->text;
    while (text->length > 0 &&
           (text->data[text->length - 1] == ' ' || text->data[text->length - 1] == '\t'))
        text->length--;
    byte_buffer_append_char(text, '\0');
    return 0;
}

/* Cuts path and query out of the collected text, which doesn't grow any more. */
static void set_request_target(struct http_exchange *exchange, const char *origin)
{
    char *path = exchange->text.data + (origin - exchange->text.data);
    char *query = strchr(path, '?');

    if (query != NULL)
        *query = '\0';
    exchange->request.path = *path == '\0' ? "/" : path;
    exchange->request.query = query == NULL ? "" : query + 1;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct http_reader *reader = parser->data;
    struct http_exchange *exchange = reader->exchange;

    /* Upgrade is an offer; we don't take it, and go on in HTTP/1.1. */
    parser->upgrade = 0;
    if (exchange->text.failed) {
        reader->verdict = refused(ERROR_QUEUE_FULL, "out of memory");
        return -1;
    }

    const struct http_head head = {
        .method = exchange->request.method,
        .http_1_0 = exchange->http_1_0,
        .target = exchange->text.data,
        .fields = exchange->text.data + exchange->fields_at,
        .fields_end = exchange->text.data + exchange->text.length,
        .max_body_bytes = reader->config->max_body_bytes,
    };
    reader->verdict = http_guard_head(&head, &reader->framing);
    if (reader->verdict.code != ERROR_NONE)
        return -1;

    exchange->client_keeps = llhttp_should_keep_alive(parser) != 0;
    set_request_target(exchange, reader->framing.origin);
    return 0;
}

/* A body on GET or HEAD has no meaning (RFC 9110 §9.3.1). */
static bool keeps_body(const struct http_reader *reader)
{
    return reader->exchange != NULL &&
           (reader->exchange->request.method & (METHOD_GET | METHOD_HEAD)) == 0;
}

static int on_body(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_reader *reader = parser->data;

    if (!keeps_body(reader))
        return 0;
    byte_buffer_append_secret(&reader->exchange->body, bytes, length);
    if (reader->exchange->body.failed) {
        reader->verdict = refused(ERROR_QUEUE_FULL, "out of memory");
        return -1;
    }
    return 0;
}

static int on_chunk_header(llhttp_t *parser)
{
    struct http_reader *reader = parser->data;

    reader->part_left = parser->content_length;
    return 0;
}

static const llhttp_settings_t parser_settings = {
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_header_field = on_field_bytes,
    .on_header_field_complete = on_field_name_complete,
    .on_header_value = on_field_bytes,
    .on_header_value_complete = on_field_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
};

static enum http_method method_of(const llhttp_t *parser)
{
    switch (parser->method) {
    case HTTP_GET:
        return METHOD_GET;
    case HTTP_HEAD:
        return METHOD_HEAD;
    case HTTP_POST:
        return METHOD_POST;
    case HTTP_PUT:
        return METHOD_PUT;
    case HTTP_DELETE:
        return METHOD_DELETE;
    case HTTP_PATCH:
        return METHOD_PATCH;
    case HTTP_OPTIONS:
        return METHOD_OPTIONS;
    default:
        return METHOD_OTHER;
    }
}

/* -- Steps ------------------------------------------------------------------- */

/* The origin of a request that is refused later than its request line is
 * known all the same: it is the `instance` of the problem. */
static void set_refused_target(struct http_exchange *exchange)
{
    if (exchange != NULL && exchange->request.path == NULL && exchange->fields_at > 0 &&
        !exchange->text.failed && exchange->text.data[0] == '/')
        set_request_target(exchange, exchange->text.data);
}

static bool refuse(struct http_reader *reader, struct http_verdict verdict)
{
    reader->verdict = verdict;
    reader->event = READER_REFUSES;
    set_refused_target(reader->exchange);
    return false;
}

static bool wait_for_bytes(struct http_reader *reader)
{
    reader->event = READER_WAITS;
    return false;
}

/* What llhttp refuses on its own account. */
static struct http_verdict parser_verdict(const llhttp_t *parser)
{
    enum error_code code = llhttp_get_errno(parser) == HPE_INVALID_TRANSFER_ENCODING
                               ? ERROR_NOT_IMPLEMENTED
                               : ERROR_BAD_REQUEST;

    return refused(code, llhttp_get_error_reason(parser));
}

/* Gives bytes of the request to llhttp; false: it refused, and so did we. */
static bool feed(struct http_reader *reader, const char *bytes, size_t length)
{
    reader->verdict = accepted;
    if (llhttp_execute(&reader->parser, bytes, length) == HPE_OK)
        return true;
    if (reader->verdict.code == ERROR_NONE)
        reader->verdict = parser_verdict(&reader->parser);
    return refuse(reader, reader->verdict);
}

/* Without the chunk extension: it means nothing here (RFC 9112 §7.1.1), and
 * llhttp 8 refuses some that http_guard knows to be right. */
static bool feed_line(struct http_reader *reader, const char *line, size_t length)
{
    if (reader->part != PART_CHUNK_SIZE)
        return feed(reader, line, length);
    size_t digits = strspn(line, "0123456789abcdefABCDEF");
    return feed(reader, line, digits) && feed(reader, "\r\n", 2);
}

static bool request_whole(struct http_reader *reader)
{
    reader->part = PART_NONE;
    reader->event = READER_WHOLE;
    return false;
}

static bool head_whole(struct http_reader *reader)
{
    reader->field_bytes = 0;
    reader->part_left = reader->framing.content_length;
    reader->body_bytes = reader->framing.content_length;
    if (reader->framing.chunked)
        reader->part = PART_CHUNK_SIZE;
    else
        reader->part = reader->part_left > 0 ? PART_BODY : PART_NONE;
    reader->event = READER_HEAD;
    return false;
}

/* What can be said of a line by its first byte and its length; the same
 * whether it is whole or still growing. */
static struct http_verdict line_start_verdict(const struct http_reader *reader, char start,
                                              size_t length)
{
    const struct http_server_config *config = reader->config;

    switch (reader->part) {
    case PART_REQUEST_LINE:
        if (start != '\r' && (start <= ' ' || start >= 0x7F))
            return refused(ERROR_BAD_REQUEST, "this isn't HTTP");
        if (length > config->max_target_bytes + REQUEST_LINE_EXTRA_BYTES)
            return refused(ERROR_TARGET_TOO_LARGE, "the request target is too long");
        break;
    case PART_CHUNK_SIZE:
        if (length > config->max_header_bytes)
            return refused(ERROR_BAD_REQUEST, "a chunk-size line is too long");
        break;
    default:
        if (reader->field_bytes + length > config->max_header_bytes)
            return refused(ERROR_HEADERS_TOO_LARGE, "the headers are too large");
    }
    return accepted;
}

/* `length` without the CRLF. */
static struct http_verdict line_verdict(const struct http_reader *reader, const char *line,
                                        size_t length)
{
    switch (reader->part) {
    case PART_REQUEST_LINE:
        return http_guard_request_line(line, length, reader->config->max_target_bytes);
    case PART_CHUNK_SIZE:
        return http_guard_chunk_line(line, length);
    case PART_TRAILERS:
        return length == 0 ? accepted : http_guard_trailer_line(line, length);
    default:
        return length == 0 ? accepted : http_guard_field_line(line, length);
    }
}

static bool chunk_size_read(struct http_reader *reader)
{
    uint64_t limit = reader->exchange == NULL ? SKIP_MAX_BYTES : reader->config->max_body_bytes;

    if (reader->part_left == 0) {
        reader->part = PART_TRAILERS;
        return true;
    }
    reader->part = PART_CHUNK_DATA;
    /* No overflow: http_guard keeps a chunk below 2^60, the limit the sum. */
    reader->body_bytes += reader->part_left;
    if (reader->body_bytes > limit)
        return refuse(reader, refused(ERROR_BODY_TOO_LARGE, "the request body is too large"));
    return true;
}

/* llhttp has read the line: what comes next? */
static bool line_read(struct http_reader *reader, size_t length)
{
    bool empty = length == 2;

    switch (reader->part) {
    case PART_REQUEST_LINE:
        reader->exchange->request.method = method_of(&reader->parser);
        reader->exchange->http_1_0 = reader->parser.http_minor == 0;
        reader->part = PART_HEADERS;
        return true;
    case PART_CHUNK_SIZE:
        return chunk_size_read(reader);
    case PART_TRAILERS:
        reader->field_bytes += length;
        return empty ? request_whole(reader) : true;
    default:
        reader->field_bytes += length;
        return empty ? head_whole(reader) : true;
    }
}

/* Old clients send an empty line behind a body (RFC 9112 §2.2). */
static bool skips_blank_line(struct http_reader *reader, size_t length)
{
    if (reader->part != PART_REQUEST_LINE || length != 2 || reader->blank_seen)
        return false;
    reader->blank_seen = true;
    return true;
}

static bool read_line(struct http_reader *reader, struct evbuffer *input)
{
    size_t available = evbuffer_get_length(input);
    if (available == 0)
        return wait_for_bytes(reader);

    struct evbuffer_ptr eol = evbuffer_search_eol(input, NULL, NULL, EVBUFFER_EOL_LF);
    bool whole = eol.pos >= 0;
    size_t length = whole ? (size_t)eol.pos + 1 : available;
    const char *line = (const char *)evbuffer_pullup(input, whole ? (ev_ssize_t)length : 1);
    if (line == NULL)
        return refuse(reader, refused(ERROR_QUEUE_FULL, "out of memory"));

    struct http_verdict verdict = line_start_verdict(reader, line[0], length);
    if (verdict.code != ERROR_NONE)
        return refuse(reader, verdict);
    if (!whole)
        return wait_for_bytes(reader);
    if (length < 2 || line[length - 2] != '\r')
        return refuse(reader, refused(ERROR_BAD_REQUEST, "a line doesn't end in CR LF"));
    if (skips_blank_line(reader, length)) {
        evbuffer_drain(input, length);
        return true;
    }
    verdict = line_verdict(reader, line, length - 2);
    if (verdict.code != ERROR_NONE)
        return refuse(reader, verdict);
    if (!feed_line(reader, line, length))
        return false;
    evbuffer_drain(input, length);
    return line_read(reader, length);
}

/* Some bytes of a body or of a chunk. */
static bool read_data(struct http_reader *reader, struct evbuffer *input)
{
    size_t length = evbuffer_get_contiguous_space(input);
    unsigned char *bytes = NULL;

    if (length > reader->part_left)
        length = (size_t)reader->part_left;
    if (length == 0)
        return wait_for_bytes(reader);
    bytes = evbuffer_pullup(input, (ev_ssize_t)length);
    if (!feed(reader, (const char *)bytes, length))
        return false;
    explicit_bzero(bytes, length); /* a body may hold a password */
    evbuffer_drain(input, length);
    reader->part_left -= length;
    if (reader->part_left > 0)
        return true;
    if (reader->part == PART_BODY)
        return request_whole(reader);
    reader->part = PART_CHUNK_END;
    return true;
}

static bool read_chunk_end(struct http_reader *reader, struct evbuffer *input)
{
    char end[2];
    ev_ssize_t length = evbuffer_copyout(input, end, sizeof(end));

    if (length <= 0)
        return wait_for_bytes(reader);
    if (end[0] != '\r' || (length == 2 && end[1] != '\n'))
        return refuse(reader,
                      refused(ERROR_BAD_REQUEST, "a chunk doesn't end where its size says"));
    if (length < 2)
        return wait_for_bytes(reader);
    if (!feed(reader, end, sizeof(end)))
        return false;
    evbuffer_drain(input, sizeof(end));
    reader->part = PART_CHUNK_SIZE;
    return true;
}

/* One step; false: reader->event says what happened. */
static bool read_step(struct http_reader *reader, struct evbuffer *input)
{
    switch (reader->part) {
    case PART_REQUEST_LINE:
    case PART_HEADERS:
    case PART_CHUNK_SIZE:
    case PART_TRAILERS:
        return read_line(reader, input);
    case PART_BODY:
    case PART_CHUNK_DATA:
        return read_data(reader, input);
    case PART_CHUNK_END:
        return read_chunk_end(reader, input);
    case PART_NONE:
        break;
    }
    return request_whole(reader);
}

/* -- The reader -------------------------------------------------------------- */

struct http_reader *http_reader_new(const struct http_server_config *config)
{
    struct http_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL)
        return NULL;
    reader->config = config;
    reader->part = PART_NONE;
    return reader;
}

void http_reader_free(struct http_reader *reader)
{
    free(reader);
}

void http_reader_begin(struct http_reader *reader, struct http_exchange *exchange)
{
    const struct http_server_config *config = reader->config;

    *reader = (struct http_reader){.config = config, .exchange = exchange};
    llhttp_init(&reader->parser, HTTP_REQUEST, &parser_settings);
    reader->parser.data = reader;
    /* http_guard judges the version; HTTP/1.2 and up are read as HTTP/1.1. */
    reader->parser.lenient_flags = LENIENT_VERSION;
}

enum http_reader_event http_reader_read(struct http_reader *reader, struct evbuffer *input,
                                        struct http_verdict *ret_verdict)
{
    while (read_step(reader, input))
        continue;
    if (reader->event == READER_REFUSES)
        *ret_verdict = reader->verdict;
    return reader->event;
}

void http_reader_skip_rest(struct http_reader *reader)
{
    reader->exchange = NULL;
}

bool http_reader_has_rest(const struct http_reader *reader)
{
    return reader->part != PART_NONE;
}

bool http_reader_can_skip_rest(const struct http_reader *reader)
{
    return reader->body_bytes <= SKIP_MAX_BYTES;
}

bool http_reader_expects_continue(const struct http_reader *reader)
{
    return reader->framing.expects_continue;
}
