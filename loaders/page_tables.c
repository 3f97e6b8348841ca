/*
 * Identity map of 4 GiB in 2 MiB pages. Source: [SDM3] 4.5.
 */
#include "loaders/page_tables.h"

#include <inttypes.h>
#include <string.h>

#include "support/checked.h"
#include "support/diagnostics.h"
#include "support/memory_range.h"

#define PTE_PRESENT UINT64_C(0x01)
#define PTE_WRITABLE UINT64_C(0x02)
#define PTE_ACCESSED UINT64_C(0x20)
#define PTE_DIRTY UINT64_C(0x40)
#define PTE_LARGE UINT64_C(0x80)

#define PTE_DIRECTORY (PTE_PRESENT | PTE_WRITABLE | PTE_ACCESSED)
#define PTE_LEAF (PTE_DIRECTORY | PTE_DIRTY | PTE_LARGE)

#define TABLE_ENTRIES 512
#define DIRECTORIES 4       /* of 1 GiB each */
#define LARGE_PAGE_SHIFT 21 /* 2 MiB */

/* Bits that could be both an address of the map and the mark of encryption make no sense. */
#define C_BIT_MIN 32
#define C_BIT_MAX 51

/* Tables stand one behind the other: PML4, directory pointers, directories. */
typedef struct IdentityTables {
	uint64_t pml4[TABLE_ENTRIES];
	uint64_t pointers[TABLE_ENTRIES];
	uint64_t directories[DIRECTORIES * TABLE_ENTRIES];
} IdentityTables;
static_assert(sizeof(IdentityTables) == PAGE_TABLES_IDENTITY_SIZE, "six pages");

static bool check_c_bit(uint8_t c_bit, Error *err)
{
	if (c_bit && (c_bit < C_BIT_MIN || c_bit > C_BIT_MAX))
		return error_set(err, PVW_LINUX_0001,
			"encryption bit is address bit %u, expected %d to %d", c_bit, C_BIT_MIN,
			C_BIT_MAX);
	return true;
}

/* Addresses end at the encryption bit, or where no page table entry can name them. */
static bool check_place(uint64_t gpa, uint8_t c_bit, Error *err)
{
	const uint64_t limit = UINT64_C(1) << (c_bit ? c_bit : C_BIT_MAX + 1);

	if (!is_aligned(gpa, PAGE_SIZE) || gpa > limit - PAGE_TABLES_IDENTITY_SIZE)
		return error_set(err, PVW_LINUX_0002,
			"page tables at 0x%" PRIx64 ", expected a multiple of 0x%" PRIx64
			" with %d bytes below 0x%" PRIx64,
			gpa, PAGE_SIZE, PAGE_TABLES_IDENTITY_SIZE, limit);
	return true;
}

/* Every entry is written: the tables need not be zeroed before. */
static void fill(IdentityTables *tables, uint64_t gpa, uint64_t mark)
{
	const uint64_t directory = gpa | PTE_DIRECTORY | mark;

	memset(tables, 0, offsetof(IdentityTables, directories));
	tables->pml4[0] = directory + offsetof(IdentityTables, pointers);
	for (size_t i = 0; i < DIRECTORIES; i++)
		tables->pointers[i] =
			directory + offsetof(IdentityTables, directories) + i * PAGE_SIZE;
	for (uint64_t i = 0; i < DIRECTORIES * TABLE_ENTRIES; i++)
		tables->directories[i] = (i << LARGE_PAGE_SHIFT) | PTE_LEAF | mark;
}

bool page_tables_build_identity(
	uint64_t gpa, uint8_t c_bit, Arena *arena, Bytes *out, Error *err)
{
	IdentityTables *tables;

	if (!check_c_bit(c_bit, err) || !check_place(gpa, c_bit, err))
		return false;
	tables = arena_reserve(arena, sizeof(*tables), _Alignof(IdentityTables), err);
	if (!tables)
		return false;
	fill(tables, gpa, c_bit ? UINT64_C(1) << c_bit : 0);
	*out = (Bytes){ .data = (const uint8_t *)tables, .len = sizeof(*tables) };
	return true;
}
