/*
 * bridge_answer: what the bridge answers, from its JSON to values of ours. No
 * JNI in it.   [any]
 */
#ifndef JNI_BRIDGE_ANSWER_H
#define JNI_BRIDGE_ANSWER_H

#include <jansson.h>
#include <stddef.h>

#include "../service/answer_basis.h"
#include "../service/error.h"
#include "../service/explanation.h"
#include "spark_facts.h"

/* Reads an answer (borrowed). 0: *ret_answer is the caller's. -1: it was an
 * {"error":...}, now *err, or no JSON. */
int bridge_answer_read(const char *bytes, size_t length, json_t **ret_answer, struct error *err);

/* The text of a member, "" when there is none; cut to fit. */
void bridge_answer_copy_text(const json_t *object, const char *name, char *ret_text, size_t size);

/* {"version","files_read",...} of a cursor or an explanation. */
void bridge_answer_source(const json_t *object, struct spark_source_facts *ret_source);

/* {"repeatable","reads":[...]} of a cursor; not repeatable when anything is odd. */
void bridge_answer_basis(const json_t *answer, struct answer_basis *ret_basis);

/* -1: no memory. */
int bridge_answer_facts(const json_t *answer, struct spark_facts *ret_facts, struct error *err);

/* All but the schema. -1: no memory; free what is there either way. */
int bridge_answer_explanation(const json_t *answer, struct explanation *ret_explanation,
                              struct error *err);

#endif
