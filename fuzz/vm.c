/*
 * VM descriptions: what is read can be laid out or is refused, and a layout keeps its promises.
 */
#include "host/vm.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = fuzz_arena(VM_ARENA_LIMIT);
	ResolvedLayout layout;
	uint64_t ram = 0, wanted = 0;
	Vm vm;
	Error err = { 0 };

	if (!vm_read((Bytes){ data, size }, "vm", arena, &vm, &err) ||
		!vm_resolve(&vm, arena, &layout, &err)) {
		fuzz_failed(&err);
		return 0;
	}
	for (size_t i = 0; i < layout.placements.count; i++) {
		const MemoryRange range = layout.placements.items[i].range;

		FUZZ_ASSERT(range.start < range.end);
		FUZZ_ASSERT(i == 0 || layout.placements.items[i - 1].range.end <= range.start);
	}
	for (size_t i = 0; i < layout.ram.count; i++)
		ram += memory_range_len(layout.ram.items[i].range);
	for (size_t i = 0; i < vm.layout.node_count; i++)
		wanted += vm.layout.node_sizes[i];
	FUZZ_ASSERT(ram == wanted);
	FUZZ_ASSERT(layout.top <= UINT64_C(1) << vm.layout.address_bits);
	FUZZ_ASSERT(layout.chipset_low.end == FOUR_GIB);
	return 0;
}
