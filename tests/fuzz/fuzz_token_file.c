/*
 * A tokens file -> its lines, or a refusal that says nothing of what stands
 * there; and the text of a token. First byte: which of the two.
 */
#include <string.h>

#include "../../service/token_file.h"
#include "input.h"

#define SECRET "sesam0123456789" /* what no message may repeat */

static void check_entry(const struct token_list *list, size_t index)
{
    const struct token_entry *entry = &list->entries[index];
    char scopes[64];
    size_t same_name = 0;

    fuzz_check(entry->name[0] != '\0' && strlen(entry->name) < CALLER_NAME_BYTES);
    fuzz_check(strspn(entry->id, "0123456789abcdefABCDEF") == TOKEN_ID_BYTES - 1);
    fuzz_check(entry->scopes != 0 && (entry->scopes & ~(unsigned)SCOPE_ALL) == 0);
    fuzz_check(entry->concurrency >= 0 && entry->concurrency <= TOKEN_CONCURRENCY_MAX);
    fuzz_check(entry->rate.count == 0 || entry->rate.period_s > 0);
    if (strcmp(entry->sources, "*") != 0)
        fuzz_check(!token_entry_may_use(entry, "") && !token_entry_may_use(entry, "a,b"));
    token_scopes_format(entry->scopes, scopes, sizeof(scopes));
    for (size_t i = 0; i < list->count; i++) {
        same_name += strcmp(list->entries[i].name, entry->name) == 0;
        fuzz_check(i == index || strcmp(list->entries[i].id, entry->id) != 0);
    }
    fuzz_check(same_name <= TOKENS_PER_NAME);
}

static void check_file(const char *text, size_t length)
{
    struct token_list list = {0};
    struct error err;

    if (token_list_parse(text, length, "tokens", &list, &err) != 0) {
        fuzz_check(err.code == ERROR_BAD_REQUEST && err.detail[0] != '\0');
        fuzz_check(strstr(err.detail, SECRET) == NULL);
        return;
    }
    fuzz_check(list.count <= TOKENS_MAX);
    for (size_t i = 0; i < list.count; i++)
        check_entry(&list, i);
    token_list_done(&list);
}

static void check_token(const char *text)
{
    const char *id = NULL;
    const char *secret = NULL;

    if (!token_text_split(text, &id, &secret))
        return;
    fuzz_check(strlen(text) == TOKEN_TEXT_BYTES - 1);
    fuzz_check(id == text + 4 && secret == id + TOKEN_ID_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t kind = fuzz_take_byte(&input);
    size_t length = 0;
    char *text = fuzz_take_rest(&input, &length);

    if (kind & 1)
        check_token(text);
    else
        check_file(text, length);
    free(text);
    return 0;
}
