/*
 * Data on stdout: JSON documents with the name of their schema.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>

#include "host/command.h"

/**
 * output_json - one object on stdout, indented; on one line for OUTPUT_JSONL
 * @schema:   becomes the first member, "pvw.plan/1"
 * @document: an object or NULL without memory; taken over, also on failure
 *
 * Errors: PVW_CLI_0002 (IO), PVW_MEM_0001 (LIMIT).
 */
MUST_CHECK bool output_json(
	const Invocation *invocation, const char *schema, json_t *document, Error *err);

/** output_document - the same as text, to be freed by the caller; @document is borrowed */
MUST_CHECK char *output_document(const char *schema, json_t *document, bool indent, Error *err);

/** output_wants_json - JSON was asked for, on one line or more */
bool output_wants_json(const Invocation *invocation);

#endif
