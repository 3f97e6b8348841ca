/*
 * Area pcat_cmos: default CMOS for the length of the first RAM range.
 */
#include "golden.h"
#include "loaders/pcat_cmos.h"

bool golden_run_pcat_cmos(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const NodeRangeList ram = golden_node_ranges(golden_member(input, "ram"), arena);
	uint8_t cmos[PCAT_CMOS_SIZE];

	if (ram.count == 0)
		golden_malformed("no ram");
	if (!pcat_cmos_build(memory_range_len(ram.items[0].range), cmos, err))
		return false;
	*output = json_pack("{s: o}", "cmos", golden_json_hex((Bytes){ cmos, sizeof(cmos) }));
	return true;
}
