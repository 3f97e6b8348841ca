/*
 * A small guest for tests of the worker: its boot tree, facts and memory.
 *
 *	RAM of VTL0   [ 0, 256 MiB )             [ 272 MiB, 512 MiB )
 *	of VTL2                     [ 256 MiB .. )
 *	MMIO          low [ 0xf8000000, 4 GiB ), high [ 64 GiB, 68 GiB )
 */
#ifndef TESTS_WORKER_GUEST_H
#define TESTS_WORKER_GUEST_H

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helpers/tree_builder.h"
#include "worker/prepare.h"

#define GUEST_FILE_SIZE 0x20000000
#define GUEST_CONFIG 0x10014000 /* parameter pages */

typedef struct GuestShape {
	uint32_t cpus;         /* 0: two */
	const char *isolation; /* NULL: "none" */
	bool no_config;        /* no parameter pages */
	bool arm;              /* aarch64 */
	uint32_t pieces;       /* single pages of RAM above 8 GiB, apart */
} GuestShape;

static inline void guest_node(TreeBuilder *t, uint64_t start, uint64_t end, uint32_t type)
{
	char name[32];

	snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)start);
	tree_node(t, name);
	tree_u64s(t, "reg", start, end - start);
	tree_u32(t, "openhcl,memory-type", type);
	if (type != MEMORY_TYPE_VTL0_MMIO && type != MEMORY_TYPE_VTL2_MMIO) {
		tree_u32(t, "numa-node-id", 0);
		tree_u32(t, "microsoft,igvm-type", type == MEMORY_TYPE_VTL0 ? 0 : 3);
	}
	tree_end(t);
}

static inline void guest_cpus(TreeBuilder *t, uint32_t count)
{
	tree_node(t, "cpus");
	tree_u32(t, "#address-cells", 1);
	tree_u32(t, "#size-cells", 0);
	for (uint32_t i = 0; i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "cpu@%x", i + 1);
		tree_node(t, name);
		tree_string(t, "device_type", "cpu");
		tree_u32(t, "reg", i);
		tree_u32(t, "numa-node-id", 0);
		tree_end(t);
	}
	tree_end(t);
}

static inline void guest_openhcl(TreeBuilder *t, const GuestShape *shape)
{
	tree_node(t, "openhcl");
	tree_string(t, "isolation-type", shape->isolation ? shape->isolation : "none");
	tree_string(t, "memory-allocation-mode", "host");
	guest_node(t, 0, 0x10000000, MEMORY_TYPE_VTL0);
	guest_node(t, 0x10000000, 0x10001000, MEMORY_TYPE_VTL2_PERSISTED_HEADER);
	guest_node(t, 0x10001000, 0x10014000, MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF);
	guest_node(t, GUEST_CONFIG, 0x1003c000,
		shape->no_config ? MEMORY_TYPE_VTL2_RAM : MEMORY_TYPE_VTL2_CONFIG);
	guest_node(t, 0x1003c000, 0x1003d000, MEMORY_TYPE_VTL2_LOG_BUFFER);
	guest_node(t, 0x1003d000, 0x11000000, MEMORY_TYPE_VTL2_RAM);
	guest_node(t, 0x11000000, GUEST_FILE_SIZE, MEMORY_TYPE_VTL0);
	guest_node(t, 0xf8000000, 0x100000000, MEMORY_TYPE_VTL0_MMIO);
	guest_node(t, 0x1000000000, 0x1100000000, MEMORY_TYPE_VTL0_MMIO);
	for (uint64_t i = 0; i < shape->pieces; i++)
		guest_node(t, 0x200000000 + i * 0x2000, 0x200001000 + i * 0x2000,
			MEMORY_TYPE_VTL0);
	tree_end(t);
}

static inline void guest_gic(TreeBuilder *t, uint32_t cpus)
{
	tree_node(t, "intc@4294901760");
	tree_u64s(t, "reg", 0xd0000000, 0x10000, 0xd0020000, 0x20000 * (uint64_t)cpus);
	tree_u64(t, "redistributor-stride", 0x20000);
	tree_end(t);
}

static inline Bytes guest_tree(Arena *arena, GuestShape shape)
{
	TreeBuilder t = tree_begin(arena);

	tree_u32(&t, "#address-cells", 2);
	tree_u32(&t, "#size-cells", 2);
	guest_cpus(&t, shape.cpus ? shape.cpus : 2);
	tree_node(&t, "memory@10000000");
	tree_string(&t, "device_type", "memory");
	tree_u64s(&t, "reg", 0x10000000, 0x1000000);
	tree_u32(&t, "numa-node-id", 0);
	tree_end(&t);
	if (shape.arm)
		guest_gic(&t, shape.cpus ? shape.cpus : 2);
	guest_openhcl(&t, &shape);
	return tree_finish(&t);
}

static inline FactInputs guest_facts(Arena *arena, GuestShape shape)
{
	return (FactInputs){
		.arch = shape.arm ? GUEST_ARCH_AARCH64 : GUEST_ARCH_X86_64,
		.boot_tree = guest_tree(arena, shape),
		.physical_address_bits = 46,
		.x2apic = true,
	};
}

/* A file of holes, as large as the guest's memory. */
static inline int guest_file(void)
{
	const int fd = memfd_create("guest", MFD_CLOEXEC);

	return fd >= 0 && ftruncate(fd, GUEST_FILE_SIZE) == 0 ? fd : -1;
}

#endif
