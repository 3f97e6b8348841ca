/*
 * JSON documents on stdout.
 */
#include "cli/output.h"

#include <stdlib.h>

bool output_wants_json(const Invocation *invocation)
{
	return invocation_format(invocation) == OUTPUT_JSON ||
		invocation_format(invocation) == OUTPUT_JSONL;
}

char *output_document(const char *schema, json_t *document, bool indent, Error *err)
{
	json_t *named = document ? json_pack("{s:s}", "schema", schema) : NULL;
	char *text = NULL;

	if (named && json_object_update(named, document) == 0)
		text = json_dumps(named, indent ? JSON_INDENT(2) : JSON_COMPACT);
	json_decref(named);
	if (!text)
		error_set(err, PVW_MEM_0001, "no memory for a document of %s", schema);
	return text;
}

bool output_json(const Invocation *invocation, const char *schema, json_t *document, Error *err)
{
	char *text = output_document(
		schema, document, invocation_format(invocation) != OUTPUT_JSONL, err);

	json_decref(document);
	if (!text)
		return false;
	/* A write that fails is found by command_main, which flushes. */
	puts(text);
	free(text);
	return true;
}
