#include "query_syntax.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#define HOST_MAX_BYTES 253
#define LABEL_MAX_BYTES 63
#define NAME_MAX_BYTES 128
#define SOURCE_MAX_BYTES 64
#define TABLE_PARTS_MAX 3

/* <ctype.h> follows the locale and has no defined answer for char < 0. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_ascii(char c)
{
    return (unsigned char)c < 0x80;
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

bool query_syntax_is_uuid(const char *text)
{
    static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (strlen(text) != sizeof(pattern) - 1)
        return false;
    for (size_t i = 0; pattern[i] != '\0'; i++) {
        if (pattern[i] == 'x' ? !is_hex_digit(text[i]) : text[i] != '-')
            return false;
    }
    return true;
}

static bool is_label(const char *label, size_t length)
{
    if (length == 0 || length > LABEL_MAX_BYTES || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_letter(label[i]) && !is_digit(label[i]) && !is_one_of(label[i], "-_"))
            return false;
    }
    return true;
}

/* "127", "0x7f": what the "ends in a number" check of the WHATWG URL standard catches. */
static bool is_number_label(const char *label)
{
    if (label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
        return strspn(label + 2, "0123456789abcdefABCDEF") == strlen(label + 2);
    return strspn(label, "0123456789") == strlen(label);
}

bool query_syntax_is_host(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    const char *label = text;

    if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1)
        return true;
    if (strlen(text) > HOST_MAX_BYTES)
        return false;
    for (;;) {
        size_t length = strcspn(label, ".");

        if (!is_label(label, length))
            return false;
        if (label[length] == '\0')
            return !is_number_label(label);
        label += length + 1;
    }
}

bool query_syntax_is_account_name(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if (is_ascii(text[i]) && !is_letter(text[i]) && !is_digit(text[i]) &&
            !is_one_of(text[i], "_-$.+~!"))
            return false;
    }
    return length > 0 && length <= NAME_MAX_BYTES;
}

bool query_syntax_is_source_name(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if (!is_letter(text[i]) && !is_digit(text[i]) && !is_one_of(text[i], "_-."))
            return false;
    }
    return length > 0 && length <= SOURCE_MAX_BYTES;
}

static bool is_table_part(const char *part, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (is_ascii(part[i]) && !is_letter(part[i]) && !is_digit(part[i]) &&
            !is_one_of(part[i], "_-"))
            return false;
    }
    return length > 0 && length <= NAME_MAX_BYTES;
}

bool query_syntax_is_table(const char *text)
{
    for (int parts = 1; parts <= TABLE_PARTS_MAX; parts++) {
        size_t length = strcspn(text, ".");

        if (!is_table_part(text, length))
            return false;
        if (text[length] == '\0')
            return parts > 1;
        text += length + 1;
    }
    return false;
}

bool query_syntax_is_parameter(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if (!is_letter(text[i]) && text[i] != '_' && (i == 0 || !is_digit(text[i])))
            return false;
    }
    return length > 0 && length <= NAME_MAX_BYTES;
}

bool query_syntax_is_tag(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    }
    return true;
}

/* Reads exactly `count` digits and moves *text behind them. */
static bool take_number(const char **text, int count, int minimum, int maximum, int *ret_number)
{
    int number = 0;

    for (int i = 0; i < count; i++, (*text)++) {
        if (!is_digit(**text))
            return false;
        number = number * 10 + (**text - '0');
    }
    *ret_number = number;
    return number >= minimum && number <= maximum;
}

static bool take_char(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool query_syntax_is_timestamp(const char *text)
{
    int year;
    int month;
    int day;
    int ignored;

    if (!take_number(&text, 4, 0, 9999, &year) || !take_char(&text, '-') ||
        !take_number(&text, 2, 1, 12, &month) || !take_char(&text, '-') ||
        !take_number(&text, 2, 1, days_in_month(year, month), &day) || !take_char(&text, 'T') ||
        !take_number(&text, 2, 0, 23, &ignored) || !take_char(&text, ':') ||
        !take_number(&text, 2, 0, 59, &ignored) || !take_char(&text, ':') ||
        !take_number(&text, 2, 0, 59, &ignored))
        return false;
    if (take_char(&text, '.')) {
        size_t digits = strspn(text, "0123456789");

        if (digits < 1 || digits > 9)
            return false;
        text += digits;
    }
    return strcmp(text, "Z") == 0;
}
