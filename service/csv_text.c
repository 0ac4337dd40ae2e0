#include "csv_text.h"

#include <stdbool.h>
#include <stdint.h>

#include "utf8.h"

enum { SPECIAL_NONE, SPECIAL_SEPARATOR, SPECIAL_QUOTE, SPECIAL_WIDE };

static int special(uint8_t byte)
{
    if (byte >= 0x80)
        return SPECIAL_WIDE;
    if (byte == '"')
        return SPECIAL_QUOTE;
    return byte == ',' || byte == '\r' || byte == '\n' ? SPECIAL_SEPARATOR : SPECIAL_NONE;
}

/* What a field's bytes ask for, all of it. */
static void look(const uint8_t *bytes, size_t length, bool *ret_quotes, bool *ret_wide)
{
    bool quotes = length == 0;
    bool wide = false;

    for (size_t i = 0; i < length; i++) {
        uint8_t byte = bytes[i];

        quotes |= (byte == '"') | (byte == ',') | (byte == '\r') | (byte == '\n');
        wide |= byte >= 0x80;
    }
    *ret_quotes = quotes;
    *ret_wide = wide;
}

/* Quotes doubled, broken characters replaced. */
static void append_mended(struct byte_buffer *out, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *copied = at;

    while (at < end) {
        const uint8_t *next = at + 1;
        bool valid = true;

        switch (special(*at)) {
        case SPECIAL_QUOTE:
            byte_buffer_append(out, copied, (size_t)(next - copied));
            copied = at; /* the quote once more, with what follows */
            break;
        case SPECIAL_WIDE:
            next = utf8_skip_sequence(at, end, &valid);
            if (valid)
                break;
            byte_buffer_append(out, copied, (size_t)(at - copied));
            byte_buffer_append_text(out, UTF8_REPLACEMENT);
            copied = next;
            break;
        default:
            break;
        }
        at = next;
    }
    byte_buffer_append(out, copied, (size_t)(end - copied));
}

void csv_text_append_field(struct byte_buffer *out, const void *bytes, size_t length)
{
    bool quotes = false;
    bool wide = false;

    look(bytes, length, &quotes, &wide);
    if (!quotes && !wide) {
        byte_buffer_append(out, bytes, length);
        return;
    }
    if (quotes)
        byte_buffer_append_char(out, '"');
    append_mended(out, bytes, (const uint8_t *)bytes + length);
    if (quotes)
        byte_buffer_append_char(out, '"');
}
