#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "settings_table.h"

void settings_print_help(FILE *out)
{
    fputs("spark-service: Spark SQL over HTTP, one process\n"
          "\n"
          "  spark-service [--SETTING VALUE ...]   run in the foreground; Ctrl-C drains and ends\n"
          "  spark-service probe ready|live        ask a running service; exit 0 or 1\n"
          "  spark-service token add|list|remove   edit the TOKENS_FILE; `token` alone tells how\n"
          "  spark-service --check-config          check all settings, print them, exit 0 or 2\n"
          "  spark-service --help | --version\n"
          "\n"
          "A setting is a flag (--data-roots), a variable (" SETTINGS_ENV_PREFIX
          "DATA_ROOTS) or a line\n"
          "in the file " SETTINGS_ENV_PREFIX "CONFIG names; flag before variable before file.\n"
          "The MySQL source `main` comes from MYSQL_HOST, MYSQL_PORT, MYSQL_USER,\n"
          "MYSQL_PASSWORD or MYSQL_PASSWORD_FILE, and MYSQL_DATABASE.\n"
          "Exit codes: 0 stopped, 2 bad setting, 3 JVM out of memory, 70 no JVM, 75 slots lost.\n"
          "\n",
          out);
    for (size_t i = 0; i < settings_table_length; i++) {
        const struct setting *setting = &settings_table[i];
        char flag[64];
        size_t length = strlen(setting->name);

        for (size_t j = 0; j <= length; j++)
            flag[j] =
                setting->name[j] == '_' ? '-' : (char)tolower((unsigned char)setting->name[j]);
        fprintf(out, "  --%-22s %s%s%s%s\n", flag, setting->help,
                *setting->default_text != '\0' ? " [" : "", setting->default_text,
                *setting->default_text != '\0' ? "]" : "");
    }
}

/* The names only: a Spark property can be an object store's key. */
static void print_conf_names(const char *conf, FILE *out)
{
    fputs("SPARK_CONF=", out);
    while (*conf != '\0') {
        size_t pair = strcspn(conf, ",");

        fprintf(out, "%.*s=...", (int)strcspn(conf, "=,"), conf);
        conf += pair;
        if (*conf == ',')
            fputc(*conf++, out);
    }
    fputc('\n', out);
}

void settings_print(const struct settings *settings, FILE *out)
{
    for (size_t i = 0; i < settings_table_length; i++) {
        const struct setting *setting = &settings_table[i];
        const char *slot = (const char *)settings + setting->offset;

        switch (setting->type) {
        case TYPE_TEXT:
            if (setting->offset == offsetof(struct settings, spark_conf))
                print_conf_names(settings->spark_conf, out);
            else
                fprintf(out, "%s=%s\n", setting->name, *(char *const *)(const void *)slot);
            break;
        case TYPE_INTEGER:
            fprintf(out, "%s=%lld\n", setting->name,
                    (long long)*(const int64_t *)(const void *)slot);
            break;
        case TYPE_BOOL:
            fprintf(out, "%s=%d\n", setting->name, *(const bool *)slot ? 1 : 0);
            break;
        }
    }
    if (settings->mysql_host != NULL)
        fprintf(out, "MYSQL_HOST=%s\nMYSQL_PORT=%lld\n", settings->mysql_host,
                (long long)settings->mysql_port);
}
