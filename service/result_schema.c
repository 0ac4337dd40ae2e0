#include "result_schema.h"

#include <stdbool.h>
#include <string.h>

#include "json_text.h"
#include "sql_type.h"

void result_schema_append(struct byte_buffer *out, const struct ArrowSchema *schema,
                          const struct result_column *root)
{
    struct byte_buffer type = {0};

    byte_buffer_append_char(out, '[');
    for (size_t i = 0; i < root->child_count; i++) {
        const struct ArrowSchema *column = schema->children[i];
        const char *name = root->children[i].name;
        bool nullable = (column->flags & ARROW_FLAG_NULLABLE) != 0;

        byte_buffer_reset(&type);
        sql_type_append(&type, column);
        byte_buffer_append_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        json_text_append_string(out, name, strlen(name));
        byte_buffer_append_text(out, ",\"type\":");
        json_text_append_string(out, type.data, type.length);
        byte_buffer_append_text(out, nullable ? ",\"nullable\":true}" : ",\"nullable\":false}");
        out->failed |= type.failed;
    }
    byte_buffer_append_char(out, ']');
    byte_buffer_done(&type);
}
