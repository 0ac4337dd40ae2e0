/*
 * result_csv: Arrow columns -> CSV (RFC 4180): CRLF, a header line, NULL is an
 * empty field, the empty string `""`; nested values and documents are JSON.
 * Everything else is the text that JSON has, without its quotes.   [worker]
 */
#ifndef SERVICE_RESULT_CSV_H
#define SERVICE_RESULT_CSV_H

struct result_writer_class;

extern const struct result_writer_class result_csv_class;

#endif
