/*
 * A well-formed batch of any types and any values -> every format. JSON must
 * be JSON, lines must be lines, and what goes through Arrow IPC must come back
 * as the same rows.
 */
/* needs: unit/arrow_build.c */
#include <jansson.h>
#include <string.h>

#include "../../service/arrow_ipc_read.h"
#include "../../service/arrow_ipc_write.h"
#include "../../service/result_writer.h"
#include "../unit/arrow_build.h"
#include "input.h"

#define ROWS_MAX 12
#define COLUMNS_MAX 4
#define DEPTH_MAX 4
#define CELL_BYTES_MAX 24

static const struct {
    const char *format;
    size_t width;
} FIXED[] = {
    {"c", 1},           {"C", 1},       {"s", 2},       {"S", 2},        {"i", 4},
    {"I", 4},           {"l", 8},       {"L", 8},       {"e", 2},        {"f", 4},
    {"g", 8},           {"d:20,3", 16}, {"d:38,0", 16}, {"d:38,38", 16}, {"d:9,-4", 16},
    {"d:76,5,256", 32}, {"tdD", 4},     {"tdm", 8},     {"tts", 4},      {"ttn", 8},
    {"tsu:", 8},        {"tsu:UTC", 8}, {"tsn:", 8},    {"tss:UTC", 8},  {"tDu", 8},
    {"tiM", 4},         {"tiD", 8},     {"tin", 16},    {"w:3", 3},      {"w:0", 0},
};

static const char *const TEXT_FORMATS[] = {"u", "U", "z", "Z", "vu", "vz"};

/* JSON text is the source's own word, valid by contract: not here. */
static const char *const MYSQL_TYPES[] = {"TIME", "GEOMETRY"};

static const char *take_name(struct fuzz_input *input)
{
    static const char *const names[] = {"c", "", "a \"quoted\" name", "ü\n", "c_2", "x,y", "\xff"};

    return names[fuzz_take_below(input, sizeof(names) / sizeof(names[0]))];
}

/* NULL: no bitmap. */
static const char *take_valid(struct fuzz_input *input, int64_t count, char *buffer)
{
    if (fuzz_take_byte(input) & 1)
        return NULL;
    for (int64_t i = 0; i < count; i++)
        buffer[i] = fuzz_take_byte(input) & 1 ? '1' : '0';
    buffer[count] = '\0';
    return buffer;
}

static struct arrow_built *take_column(struct fuzz_input *input, int64_t count, int depth);

static struct arrow_built *take_fixed(struct fuzz_input *input, int64_t count)
{
    size_t kind = fuzz_take_below(input, sizeof(FIXED) / sizeof(FIXED[0]));
    size_t bytes = (size_t)count * FIXED[kind].width;
    uint8_t *values = calloc(bytes + 1, 1);
    char *valid = calloc((size_t)count + 1, 1);
    const char *name = take_name(input);

    fuzz_take_bytes(input, values, bytes);
    struct arrow_built *built = arrow_build_fixed(name, FIXED[kind].format, FIXED[kind].width,
                                                  values, count, take_valid(input, count, valid));
    free(values);
    free(valid);
    return built;
}

static struct arrow_built *take_text(struct fuzz_input *input, int64_t count)
{
    const char *format =
        TEXT_FORMATS[fuzz_take_below(input, sizeof(TEXT_FORMATS) / sizeof(TEXT_FORMATS[0]))];
    char **values = calloc((size_t)count + 1, sizeof(*values));
    size_t *lengths = calloc((size_t)count + 1, sizeof(*lengths));
    const char *name = take_name(input);
    size_t metadata = fuzz_take_below(input, 16);

    for (int64_t i = 0; i < count; i++) {
        lengths[i] = fuzz_take_below(input, CELL_BYTES_MAX + 2);
        if (lengths[i] > CELL_BYTES_MAX) {
            lengths[i] = 0; /* a null */
            continue;
        }
        values[i] = malloc(lengths[i] + 1);
        fuzz_take_bytes(input, values[i], lengths[i]);
    }
    struct arrow_built *built =
        arrow_build_bytes(name, format, (const char *const *)values, lengths, count);
    if (metadata < sizeof(MYSQL_TYPES) / sizeof(MYSQL_TYPES[0]))
        arrow_build_metadata(built, "mysql_type", MYSQL_TYPES[metadata]);
    for (int64_t i = 0; i < count; i++)
        free(values[i]);
    free(values);
    free(lengths);
    return built;
}

static struct arrow_built *take_boolean(struct fuzz_input *input, int64_t count)
{
    char *bits = calloc((size_t)count + 1, 1);
    char *valid = calloc((size_t)count + 1, 1);

    for (int64_t i = 0; i < count; i++)
        bits[i] = fuzz_take_byte(input) & 1 ? '1' : '0';
    struct arrow_built *built =
        arrow_build_boolean(take_name(input), bits, take_valid(input, count, valid));
    free(bits);
    free(valid);
    return built;
}

static int64_t *take_offsets(struct fuzz_input *input, int64_t count)
{
    int64_t *offsets = calloc((size_t)count + 1, sizeof(*offsets));

    for (int64_t i = 0; i < count; i++)
        offsets[i + 1] = offsets[i] + (int64_t)fuzz_take_below(input, 3);
    return offsets;
}

static struct arrow_built *take_list(struct fuzz_input *input, int64_t count, int depth)
{
    int64_t *offsets = take_offsets(input, count);
    char *valid = calloc((size_t)count + 1, 1);
    const char *format = fuzz_take_byte(input) & 1 ? "+l" : "+L";
    const char *name = take_name(input);
    const char *bits = take_valid(input, count, valid);
    struct arrow_built *built = arrow_build_list(name, format, offsets, count, bits,
                                                 take_column(input, offsets[count], depth + 1));

    free(offsets);
    free(valid);
    return built;
}

static struct arrow_built *take_map(struct fuzz_input *input, int64_t count, int depth)
{
    int64_t *offsets = take_offsets(input, count);
    char *valid = calloc((size_t)count + 1, 1);
    const char *name = take_name(input);
    const char *bits = take_valid(input, count, valid);
    struct arrow_built *key = take_column(input, offsets[count], depth + 1);
    struct arrow_built *built = arrow_build_map(name, offsets, count, bits, key,
                                                take_column(input, offsets[count], depth + 1));

    free(offsets);
    free(valid);
    return built;
}

static struct arrow_built *take_fixed_list(struct fuzz_input *input, int64_t count, int depth)
{
    char *valid = calloc((size_t)count + 1, 1);
    const char *name = take_name(input);
    const char *bits = take_valid(input, count, valid);
    struct arrow_built *built =
        arrow_build_fixed_list(name, "+w:2", count, bits, take_column(input, 2 * count, depth + 1));

    free(valid);
    return built;
}

static struct arrow_built *take_struct(struct fuzz_input *input, int64_t count, int depth)
{
    struct arrow_built *children[COLUMNS_MAX];
    int64_t child_count = (int64_t)fuzz_take_below(input, COLUMNS_MAX + 1);
    char *valid = calloc((size_t)count + 1, 1);
    const char *name = take_name(input);
    const char *bits = depth > 0 ? take_valid(input, count, valid) : NULL;

    for (int64_t i = 0; i < child_count; i++)
        children[i] = take_column(input, count, depth + 1);
    struct arrow_built *built = arrow_build_struct(name, count, bits, child_count, children);
    free(valid);
    return built;
}

static struct arrow_built *take_column(struct fuzz_input *input, int64_t count, int depth)
{
    size_t kind = fuzz_take_below(input, depth < DEPTH_MAX ? 9 : 5);

    switch (kind) {
    case 0:
    case 1:
        return take_fixed(input, count);
    case 2:
        return take_text(input, count);
    case 3:
        return take_boolean(input, count);
    case 4:
        return arrow_build_null(take_name(input), count);
    case 5:
        return take_list(input, count, depth);
    case 6:
        return take_map(input, count, depth);
    case 7:
        return take_fixed_list(input, count, depth);
    default:
        return take_struct(input, count, depth);
    }
}

/* ---- the answers ---- */

/* False when this result is refused. */
static bool write_answer(const struct ArrowSchema *schema, const struct ArrowArray *batch,
                         const struct result_options *options, int64_t step,
                         struct byte_buffer *out)
{
    struct result_end end = RESULT_END_UNKNOWN;
    struct result_writer *writer = NULL;
    struct error err;
    bool done = true;

    if (result_writer_new(schema, options, &writer, &err) != 0) {
        fuzz_check(err.code == ERROR_ENGINE_ERROR);
        return false;
    }
    result_writer_begin(writer, out);
    for (int64_t row = 0; done && row < batch->length; row += step) {
        int64_t count = step < batch->length - row ? step : batch->length - row;

        done = result_writer_rows(writer, batch, row, count, out, &err) == 0;
    }
    if (done) {
        size_t before = out->length;

        end.rows = batch->length;
        result_writer_end(writer, &end, out);
        fuzz_check(out->length - before <= result_writer_end_bytes_max(writer));
    }
    result_writer_free(writer);
    fuzz_check(!out->failed);
    return done;
}

/* jansson takes no NUL in a name, so another character stands for it, and no
 * integer beyond 64 bits, so they are read as reals. */
static bool is_json(const char *bytes, size_t length)
{
    char *text = malloc(length + 1);
    json_error_t error;
    json_t *tree = NULL;
    bool valid = false;

    fuzz_check(text != NULL);
    memcpy(text, bytes, length);
    text[length] = '\0';
    for (char *at = text; (at = strstr(at, "\\u0000")) != NULL;)
        at[5] = '1';
    tree = json_loadb(text, length, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
    valid = tree != NULL;
    if (!valid)
        fprintf(stderr, "%s in %s\n", error.text, text);
    json_decref(tree);
    free(text);
    return valid;
}

static void check_lines(const struct byte_buffer *answer, int64_t rows)
{
    const char *at = answer->data;
    size_t left = answer->length;

    for (; left > 0; rows--) {
        const char *line_end = memchr(at, '\n', left);

        fuzz_check(line_end != NULL && is_json(at, (size_t)(line_end - at)));
        left -= (size_t)(line_end + 1 - at);
        at = line_end + 1;
    }
    fuzz_check(rows == 0);
}

/* jansson reads no integer beyond 64 bits, so such numbers go as strings here. */
static void check_format(const struct arrow_built *built, enum result_format format)
{
    const struct result_options options = {
        .choice = {.format = format}, .numbers_as_strings = true, .query_id = "q"};
    struct byte_buffer whole = {0};
    struct byte_buffer stepped = {0};

    if (write_answer(&built->schema, &built->array, &options, ROWS_MAX, &whole)) {
        fuzz_check(write_answer(&built->schema, &built->array, &options, 1, &stepped));
        fuzz_check(stepped.length == whole.length);
        fuzz_check(whole.length == 0 || memcmp(stepped.data, whole.data, whole.length) == 0);
        if (format == RESULT_JSON || format == RESULT_ENVELOPE)
            fuzz_check(is_json(whole.data, whole.length));
        if (format == RESULT_NDJSON)
            check_lines(&whole, built->array.length);
    }
    byte_buffer_done(&whole);
    byte_buffer_done(&stepped);
}

/* There and back by IPC, then the same JSON; what IPC refuses stays. */
static void check_there_and_back(const struct arrow_built *built)
{
    const struct result_options options = {.choice = {.format = RESULT_JSON}};
    struct byte_buffer messages[2] = {{0}, {0}};
    struct byte_buffer answers[2] = {{0}, {0}};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct error err;

    if (!write_answer(&built->schema, &built->array, &options, ROWS_MAX, &answers[0]) ||
        arrow_ipc_write_schema(&built->schema, &messages[0], &err) != 0 ||
        arrow_ipc_write_batch(&built->schema, &built->array, 0, built->array.length, &messages[1],
                              &err) != 0)
        goto out;
    fuzz_check(arrow_ipc_read_schema(messages[0].data, messages[0].length, &schema, &err) == 0);
    fuzz_check(arrow_ipc_read_batch(&schema, messages[1].data, messages[1].length, &batch, &err) ==
               0);
    messages[1] = (struct byte_buffer){0}; /* the batch owns its message */
    fuzz_check(write_answer(&schema, &batch, &options, ROWS_MAX, &answers[1]));
    fuzz_check(answers[0].length == answers[1].length);
    fuzz_check(memcmp(answers[0].data, answers[1].data, answers[0].length) == 0);
    batch.release(&batch);
    schema.release(&schema);
out:
    byte_buffer_done(&messages[0]);
    byte_buffer_done(&messages[1]);
    byte_buffer_done(&answers[0]);
    byte_buffer_done(&answers[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    int64_t rows = (int64_t)fuzz_take_below(&input, ROWS_MAX + 1);
    size_t skip = fuzz_take_below(&input, (size_t)rows + 1);
    struct arrow_built *built = take_struct(&input, rows, 0);

    arrow_build_slice(built, (int64_t)skip, rows - (int64_t)skip);
    check_format(built, RESULT_JSON);
    check_format(built, RESULT_ENVELOPE);
    check_format(built, RESULT_NDJSON);
    check_format(built, RESULT_CSV);
    check_there_and_back(built);
    arrow_build_free(built);
    return 0;
}
