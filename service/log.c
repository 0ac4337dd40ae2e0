#include "log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "log_writer.h"
#include "number_text.h"
#include "utf8.h"

#define VALUE_MAX_BYTES 512

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char cut_mark[] = " cut=true\n";

static atomic_int lowest_level = LOG_INFO;

/* A line on the stack: logging must not be able to fail for want of memory. */
struct log_text {
    size_t length;
    bool full;
    char bytes[LOG_LINE_MAX_BYTES];
};

static void append(struct log_text *line, const char *bytes, size_t length)
{
    if (line->full || length > sizeof(line->bytes) - sizeof(cut_mark) - line->length) {
        line->full = true;
        return;
    }
    memcpy(line->bytes + line->length, bytes, length);
    line->length += length;
}

static void append_text(struct log_text *line, const char *text)
{
    append(line, text, strlen(text));
}

static bool is_bare(const char *value, size_t length)
{
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return true;
}

static void append_escaped_byte(struct log_text *line, unsigned char byte)
{
    char text[5];

    switch (byte) {
    case '"':
        append_text(line, "\\\"");
        break;
    case '\\':
        append_text(line, "\\\\");
        break;
    case '\n':
        append_text(line, "\\n");
        break;
    case '\r':
        append_text(line, "\\r");
        break;
    case '\t':
        append_text(line, "\\t");
        break;
    default:
        snprintf(text, sizeof(text), "\\x%02x", byte);
        append_text(line, text);
    }
}

/* C0 and DEL, and the C1 controls (U+0080..U+009F), which terminals obey too. */
static bool needs_escape(const char *character, size_t length)
{
    unsigned char first = (unsigned char)character[0];

    if (length == 1)
        return first < ' ' || first == 0x7F || first == '"' || first == '\\';
    return length == 2 && first == 0xC2 && (unsigned char)character[1] < 0xA0;
}

static void append_quoted(struct log_text *line, const char *value, size_t length)
{
    append_text(line, "\"");
    for (size_t at = 0; at < length;) {
        size_t step = utf8_char_length(value + at, length - at);
        if (step != 0 && !needs_escape(value + at, step)) {
            append(line, value + at, step);
            at += step;
            continue;
        }
        for (size_t end = at + (step == 0 ? 1 : step); at < end; at++)
            append_escaped_byte(line, (unsigned char)value[at]);
    }
    append_text(line, "\"");
}

static void append_value(struct log_text *line, const char *value)
{
    size_t length = strlen(value);
    size_t kept = utf8_cut(value, length, VALUE_MAX_BYTES);

    if (is_bare(value, kept))
        append(line, value, kept);
    else
        append_quoted(line, value, kept);
    if (kept < length)
        append_text(line, "...");
}

/* All or nothing: a line never ends inside a value. */
static void append_field(struct log_text *line, const struct log_field *field)
{
    size_t start = line->length;
    char number[NUMBER_TEXT_MAX];

    append_text(line, " ");
    append_text(line, field->key);
    append_text(line, "=");
    if (field->text != NULL) {
        append_value(line, field->text);
    } else {
        append(line, number, (size_t)(number_text_int64(number, field->number) - number));
    }
    if (line->full)
        line->length = start;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&lowest_level, (int)level, memory_order_relaxed);
}

bool log_level_from_name(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    struct log_text line;
    char now[32];

    if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed))
        return;

    int saved_errno = errno;
    line.length = 0;
    line.full = false;
    wall_time_format(wall_time_now_us(), now);
    append_text(&line, "time=");
    append_text(&line, now);
    append_field(&line, &LOG_TEXT("level", level_names[level]));
    append_field(&line, &LOG_TEXT("msg", message));
    for (; fields->key != NULL && !line.full; fields++)
        append_field(&line, fields);

    const char *end = line.full ? cut_mark : "\n";
    size_t end_length = strlen(end);
    memcpy(line.bytes + line.length, end, end_length);
    line.length += end_length;
    log_writer_put(line.bytes, line.length);
    errno = saved_errno;
}
