/*
 * Lookup of methods by the names in an envelope.
 */
#include "proto/method.h"

#include <string.h>

#include "support/diagnostics.h"

/* Longest part of a name that is repeated in an error. */
#define SHOWN 64

static bool is_named(Bytes bytes, const char *name)
{
	return strlen(name) == bytes.len && memcmp(name, bytes.data, bytes.len) == 0;
}

static int shown(Bytes bytes)
{
	return (int)(bytes.len < SHOWN ? bytes.len : SHOWN);
}

static const char *text(Bytes bytes)
{
	return bytes.len ? (const char *)bytes.data : "";
}

bool method_find(
	MethodTableList tables, Bytes service, Bytes method, MethodRef *out, Error *err)
{
	for (size_t t = 0; t < tables.count; t++) {
		const MethodTable *table = tables.items[t];

		if (!is_named(service, table->service->name))
			continue;
		for (size_t i = 0; i < table->count; i++) {
			if (is_named(method, table->rows[i].name)) {
				*out = (MethodRef){ .table = table, .index = i };
				return true;
			}
		}
		return error_set(err, PVW_RPC_0013, "service %s has no method \"%.*s\"",
			table->service->name, shown(method), text(method));
	}
	return error_set(
		err, PVW_RPC_0012, "no service \"%.*s\" here", shown(service), text(service));
}

bool method_table_matches(const MethodTable *table)
{
	if (table->count != table->service->n_methods)
		return false;
	for (size_t i = 0; i < table->count; i++) {
		if (!table->rows[i].name ||
			strcmp(table->rows[i].name, table->service->methods[i].name) != 0)
			return false;
	}
	return true;
}
