/*
 * query_syntax: what a caller's names may look like. Allow-lists on purpose:
 * these values become parts of JDBC properties, catalog names and log lines.
 * All take NUL-terminated UTF-8.   [any]
 */
#ifndef SERVICE_QUERY_SYNTAX_H
#define SERVICE_QUERY_SYNTAX_H

#include <stdbool.h>

/* RFC 9562: 8-4-4-4-12 hexadecimal digits, either case. */
bool query_syntax_is_uuid(const char *text);

/* An IPv4 or IPv6 address as inet_pton(3) reads it (no brackets), or DNS labels
 * (RFC 1123, and '_'). A name whose last label is a number would be taken for
 * an address by resolvers, so it must be a plain IPv4 address. */
bool query_syntax_is_host(const char *text);

/* A MySQL user or database: letters, digits and _ - $ . + ~ !, and what isn't
 * ASCII; 1..128 bytes. */
bool query_syntax_is_account_name(const char *text);

/* A named source: letters, digits, _ - .; 1..64 bytes. */
bool query_syntax_is_source_name(const char *text);

/* "db.table" or "catalog.db.table"; letters, digits, _ - and what isn't ASCII. */
bool query_syntax_is_table(const char *text);

/* A parameter's name, as in ":name": a letter or _, then also digits; 1..128 bytes. */
bool query_syntax_is_parameter(const char *text);

/* A tag: no spaces, no control characters. */
bool query_syntax_is_tag(const char *text);

/* RFC 3339 in UTC: "2024-01-31T09:57:06Z", with 1..9 digits behind a point if any. */
bool query_syntax_is_timestamp(const char *text);

#endif
