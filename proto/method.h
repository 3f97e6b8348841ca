/*
 * Methods of a service: what its descriptor does not say, and lookup by name.
 */
#ifndef PROTO_METHOD_H
#define PROTO_METHOD_H

#include <protobuf-c/protobuf-c.h>

#include "proto/wire_lint.h"
#include "support/bytes.h"

typedef struct Method {
	const char *name;     /* as in the .proto */
	uint32_t max_request; /* bytes of the encoded argument, most */
	uint32_t states;      /* bit n: may be called in state n; judged by who serves it */
} Method;

/* All methods of one service: rows[i] is about service->methods[i]. */
typedef struct MethodTable {
	const ProtobufCServiceDescriptor *service;
	const Method *rows;
	size_t count;
	WireLimitList limits; /* of the lists in their arguments */
} MethodTable;

typedef struct MethodTableList {
	const MethodTable *const *items;
	size_t count;
} MethodTableList;

/* One method of one table; table NULL: none. */
typedef struct MethodRef {
	const MethodTable *table;
	size_t index;
} MethodRef;

/**
 * method_find - the method that a call names
 *
 * Errors: PVW_RPC_0012 (UNSUPPORTED) no such service, PVW_RPC_0013 (UNSUPPORTED) no such method.
 */
MUST_CHECK bool method_find(
	MethodTableList tables, Bytes service, Bytes method, MethodRef *out, Error *err);

/** method_table_matches - a row for each method of the descriptor, in its order */
bool method_table_matches(const MethodTable *table);

static inline const Method *method_row(MethodRef ref)
{
	return &ref.table->rows[ref.index];
}

static inline const ProtobufCMessageDescriptor *method_input(MethodRef ref)
{
	return ref.table->service->methods[ref.index].input;
}

static inline const ProtobufCMessageDescriptor *method_output(MethodRef ref)
{
	return ref.table->service->methods[ref.index].output;
}

#endif
