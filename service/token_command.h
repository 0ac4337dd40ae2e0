/*
 * token_command: `spark-service token add|list|remove`, which edits the tokens file.
 * A running service reads it anew on SIGHUP.   [main, before any thread]
 */
#ifndef SERVICE_TOKEN_COMMAND_H
#define SERVICE_TOKEN_COMMAND_H

/* `argv` begins behind the word `token`; the file is --tokens-file or
 * SPARK_SERVICE_TOKENS_FILE. Returns the exit code: 0, or 2 with one line on stderr. */
int token_command_run(int argc, char **argv);

#endif
