/*
 * The topology part of a case's input: area topology, and every area that contains one.
 */
#ifndef GOLDEN_GOLDEN_TOPOLOGY_H
#define GOLDEN_GOLDEN_TOPOLOGY_H

#include "golden.h"

#include "layout/topology.h"

/** golden_read_topology - build the topology that @input describes; false is a refusal */
bool golden_read_topology(
	const json_t *input, Arena *arena, ProcessorTopology *out, Error *err);

#endif
