/*
 * A client's bytes -> requests: the same ones, the same refusal and the same
 * rest, whether they come at once or in pieces.
 *
 * First byte: bit 0, each request is answered at its headers, so its body is
 * skipped. The rest is what the client sends.
 */
#include <event2/buffer.h>
#include <string.h>

#include "../../service/http_exchange.h"
#include "../../service/http_reader.h"
#include "input.h"

#define ROUNDS 4
#define REQUESTS_MAX 64

struct peer {
    struct http_reader *reader;
    struct http_exchange *exchange; /* NULL once answered */
    struct evbuffer *input;
    struct byte_buffer story; /* everything that a reply could depend on */
    bool answers_early;
    bool over;
    int requests;
};

static void begin_request(struct peer *peer)
{
    peer->exchange = http_exchange_new(NULL);
    fuzz_check(peer->exchange != NULL);
    http_reader_begin(peer->reader, peer->exchange);
}

static void drop_exchange(struct peer *peer)
{
    if (peer->exchange != NULL)
        http_exchange_free(peer->exchange);
    peer->exchange = NULL;
}

static void tell_head(struct peer *peer)
{
    const struct http_exchange *exchange = peer->exchange;
    const struct http_request *request = &exchange->request;

    byte_buffer_append_format(&peer->story, "method %d path %s query %s 1.0 %d keeps %d",
                              (int)request->method, request->path, request->query,
                              exchange->http_1_0, exchange->client_keeps);
    byte_buffer_append_format(
        &peer->story, " rest %d skip %d expects %d\n", http_reader_has_rest(peer->reader),
        http_reader_can_skip_rest(peer->reader), http_reader_expects_continue(peer->reader));
    fuzz_check(exchange->fields_at <= exchange->text.length);
    byte_buffer_append(&peer->story, exchange->text.data + exchange->fields_at,
                       exchange->text.length - exchange->fields_at);
    if (peer->answers_early) {
        drop_exchange(peer);
        http_reader_skip_rest(peer->reader);
    }
}

static void read_input(struct peer *peer)
{
    struct http_verdict verdict = {ERROR_NONE, ""};

    while (!peer->over) {
        switch (http_reader_read(peer->reader, peer->input, &verdict)) {
        case READER_WAITS:
            return;
        case READER_HEAD:
            tell_head(peer);
            break;
        case READER_WHOLE:
            if (peer->exchange != NULL)
                byte_buffer_append(&peer->story, peer->exchange->body.data,
                                   peer->exchange->body.length);
            byte_buffer_append_text(&peer->story, "\nwhole\n");
            drop_exchange(peer);
            peer->over = ++peer->requests == REQUESTS_MAX;
            if (!peer->over)
                begin_request(peer);
            break;
        case READER_REFUSES:
            fuzz_check(verdict.code != ERROR_NONE && verdict.reason != NULL);
            byte_buffer_append_format(&peer->story, "refused %d %s\n", (int)verdict.code,
                                      verdict.reason);
            peer->over = true;
            break;
        }
    }
}

/* Pieces of 1 + seed % 2^k bytes; seed 0: all at once. */
static struct byte_buffer read_pieces(const uint8_t *bytes, size_t length, bool answers_early,
                                      uint64_t seed)
{
    struct http_server_config config = http_server_config_default();
    struct peer peer = {.answers_early = answers_early};
    uint64_t mask = (2u << (seed % 6)) - 1;

    config.max_body_bytes = 2000;
    config.max_target_bytes = 200;
    config.max_header_bytes = 1000;
    peer.reader = http_reader_new(&config);
    peer.input = evbuffer_new();
    fuzz_check(peer.reader != NULL && peer.input != NULL);
    begin_request(&peer);
    for (size_t at = 0; at < length && !peer.over;) {
        size_t piece = seed == 0 ? length : 1 + (size_t)(fuzz_next(&seed) & mask);

        if (piece > length - at)
            piece = length - at;
        evbuffer_add(peer.input, bytes + at, piece);
        at += piece;
        read_input(&peer);
    }
    drop_exchange(&peer);
    evbuffer_free(peer.input);
    http_reader_free(peer.reader);
    return peer.story;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    bool answers_early = fuzz_take_byte(&input) & 1;
    uint64_t seed = fuzz_hash(data, size);
    struct byte_buffer whole = read_pieces(input.at, input.left, answers_early, 0);

    fuzz_check(!whole.failed);
    for (int round = 0; round < ROUNDS; round++) {
        struct byte_buffer sliced =
            read_pieces(input.at, input.left, answers_early, fuzz_next(&seed));

        fuzz_check(sliced.length == whole.length);
        fuzz_check(whole.length == 0 || memcmp(sliced.data, whole.data, whole.length) == 0);
        byte_buffer_done(&sliced);
    }
    byte_buffer_done(&whole);
    return 0;
}
