#include "mysql_text.h"

#include <mysql.h>

#define FRACTION_DIGITS 6

bool mysql_text_is_exact(const struct mysql_columns *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        switch (columns->items[i].cell) {
        case MYSQL_CELL_FLOAT:
        case MYSQL_CELL_DOUBLE: /* one with decimals of its own is rounded, too */
            return false;
        case MYSQL_CELL_NULL:
        case MYSQL_CELL_INT32:
        case MYSQL_CELL_INT64:
        case MYSQL_CELL_UINT64:
        case MYSQL_CELL_DECIMAL:
        case MYSQL_CELL_BOOLEAN:
        case MYSQL_CELL_BYTES:
        case MYSQL_CELL_DATE:
        case MYSQL_CELL_DATETIME:
        case MYSQL_CELL_TIME:
            break;
        }
    }
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool mysql_text_integer(const char *text, size_t length, int64_t *ret_value)
{
    bool negative = length > 0 && *text == '-';
    uint64_t value = 0;

    if (length == negative)
        return false;
    for (size_t i = negative; i < length; i++) {
        if (!is_digit(text[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return false;
    }
    if (negative && value > (uint64_t)INT64_MAX + 1)
        return false;
    *ret_value = (int64_t)(negative ? 0 - value : value);
    return true;
}

struct text {
    const char *at;
    const char *end;
};

/* At least `least` digits, at most `most`. */
static bool take_number(struct text *text, size_t least, size_t most, unsigned *ret_number)
{
    size_t digits = 0;
    unsigned number = 0;

    while (digits < most && text->at < text->end && is_digit(*text->at)) {
        number = number * 10 + (unsigned)(*text->at++ - '0');
        digits++;
    }
    *ret_number = number;
    return digits >= least;
}

static bool take_char(struct text *text, char c)
{
    if (text->at == text->end || *text->at != c)
        return false;
    text->at++;
    return true;
}

static bool take_fraction(struct text *text, unsigned long *ret_us)
{
    unsigned long value = 0;
    int digits = 0;

    while (digits < FRACTION_DIGITS && text->at < text->end && is_digit(*text->at)) {
        value = value * 10 + (unsigned long)(*text->at++ - '0');
        digits++;
    }
    for (int i = digits; i < FRACTION_DIGITS; i++)
        value *= 10;
    *ret_us = value;
    return digits > 0;
}

/* Hours, minutes, seconds, maybe a fraction, and the end. */
static bool take_clock(struct text *text, size_t hour_digits_max, MYSQL_TIME *time)
{
    return take_number(text, 2, hour_digits_max, &time->hour) && take_char(text, ':') &&
           take_number(text, 2, 2, &time->minute) && take_char(text, ':') &&
           take_number(text, 2, 2, &time->second) &&
           (!take_char(text, '.') || take_fraction(text, &time->second_part)) &&
           text->at == text->end;
}

bool mysql_text_datetime(const char *bytes, size_t length, MYSQL_TIME *ret_time)
{
    struct text text = {bytes, bytes + length};
    MYSQL_TIME time = {0};

    if (!take_number(&text, 4, 4, &time.year) || !take_char(&text, '-') ||
        !take_number(&text, 2, 2, &time.month) || !take_char(&text, '-') ||
        !take_number(&text, 2, 2, &time.day))
        return false;
    if (text.at != text.end && !(take_char(&text, ' ') && take_clock(&text, 2, &time)))
        return false;
    *ret_time = time;
    return true;
}

bool mysql_text_time(const char *bytes, size_t length, MYSQL_TIME *ret_time)
{
    struct text text = {bytes, bytes + length};
    MYSQL_TIME time = {0};

    time.neg = take_char(&text, '-');
    if (!take_clock(&text, 3, &time))
        return false;
    *ret_time = time;
    return true;
}
