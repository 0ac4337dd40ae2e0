/*
 * static_server: the service's own HTTP server with one answer, the bytes of a file, for every
 * request: what a kept answer is measured against.
 *
 *     static_server PORT FILE
 */
#include <event2/event.h>
#include <event2/thread.h>
#include <stdio.h>
#include <stdlib.h>

#include "http_server.h"

struct page {
    char *bytes;
    size_t length;
};

static void ignore_headers(struct http_exchange *exchange, void *user)
{
    (void)exchange;
    (void)user;
}

static void send_page(struct http_exchange *exchange, void *user)
{
    const struct page *page = user;
    http_reply_send_static(exchange, 200, "application/json", NULL, 0, page->bytes, page->length);
}

static int read_page(const char *path, struct page *ret_page)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    int rc = fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    if (rc == 0 && length > 0) {
        ret_page->length = (size_t)length;
        ret_page->bytes = malloc(ret_page->length);
        rc = ret_page->bytes != NULL &&
                     fread(ret_page->bytes, 1, ret_page->length, file) == ret_page->length
                 ? 0
                 : -1;
    }
    fclose(file);
    return rc;
}

int main(int argc, char **argv)
{
    struct page page = {0};
    if (argc != 3 || read_page(argv[2], &page) != 0) {
        fprintf(stderr, "usage: static_server PORT FILE\n");
        return 2;
    }
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%s", argv[1]);
    struct http_server_config config = http_server_config_default();
    struct http_server_callbacks callbacks = {
        .headers = ignore_headers, .request = send_page, .user = &page};
    struct http_server *server = NULL;
    struct error err = {0};
    struct event_base *base = event_base_new();
    if (base == NULL || http_server_new(base, address, &config, &callbacks, &server, &err) != 0) {
        fprintf(stderr, "static_server: cannot listen on %s\n", address);
        return 1;
    }
    event_base_dispatch(base);
    http_server_free(server);
    event_base_free(base);
    free(page.bytes);
    return 0;
}
