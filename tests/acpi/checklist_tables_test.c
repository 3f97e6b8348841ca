/*
 * What must hold of the static tables of every shape, read without the records they are made of.
 */
#include "checklist.h"

#define X86(c) ((c)->shape->arch == GUEST_ARCH_X86_64)
#define EXPECT(c, what) cr_expect((what), "%s: %s", (c)->name, #what)
#define ASSERT(c, what) cr_assert((what), "%s: %s", (c)->name, #what)

typedef struct Head {
	const char *signature;
	uint8_t revision;
	size_t len; /* 0: varies */
} Head;

/* Whole, summed up, apart from each other, with nothing but zeros between. */
static void check_frames(const Checked *c)
{
	static const Head heads[ACPI_TABLE_COUNT] = { [ACPI_DSDT] = { "DSDT", 2, 0 },
		[ACPI_FADT] = { "FACP", 6, 276 },
		[ACPI_ASPT] = { "ASPT", 1, 0 },
		[ACPI_MADT] = { "APIC", 5, 0 },
		[ACPI_SRAT] = { "SRAT", 3, 0 },
		[ACPI_SLIT] = { "SLIT", 1, 0 },
		[ACPI_MCFG] = { "MCFG", 1, 0 },
		[ACPI_IORT] = { "IORT", 5, 0 },
		[ACPI_SSDT] = { "SSDT", 2, 0 },
		[ACPI_CEDT] = { "CEDT", 2, 108 },
		[ACPI_PPTT] = { "PPTT", 1, 0 },
		[ACPI_IVRS] = { "IVRS", 2, 0 },
		[ACPI_DMAR] = { "DMAR", 1, 0 },
		[ACPI_GTDT] = { "GTDT", 3, 104 },
		[ACPI_SPCR] = { "SPCR", 2, 80 },
		[ACPI_DBG2] = { "DBG2", 0, 0 },
		[ACPI_WAET] = { "WAET", 1, 40 } };
	const bool reference = c->in->profile == ACPI_PROFILE_REFERENCE;
	size_t end = 0;

	EXPECT(c, c->set.tables.len % 8 == 0);
	for (AcpiTableId id = 0; id < ACPI_TABLE_COUNT; id++) {
		const Bytes table = checked_table(c, id);
		const size_t start = (size_t)(table.data - c->set.tables.data);

		if (!table.len)
			continue;
		EXPECT(c, start % 8 == 0 && start >= end && start - end < 64);
		for (; end < start; end++)
			ASSERT(c, c->set.tables.data[end] == 0);
		end = start + table.len;
		if (id == ACPI_FACS)
			continue;
		expect_table(table, heads[id].signature);
		EXPECT(c, table.data[8] == heads[id].revision);
		EXPECT(c, heads[id].len == 0 || table.len == heads[id].len);
		EXPECT(c,
			!memcmp(table.data + 10, reference ? "MSFTVM" : "VRTUAL", 6) ||
				(reference && !memcmp(table.data + 10, "HVLITE", 6)));
	}
	EXPECT(c, end < c->set.tables.len);
}

/* Which tables there are. */
static void check_presence(const Checked *c)
{
	const bool bridges = c->shape->bridges != SHAPE_BRIDGES_NONE;
	const bool expected[ACPI_TABLE_COUNT] = { [ACPI_DSDT] = true,
		[ACPI_FACS] = X86(c),
		[ACPI_FADT] = true,
		[ACPI_MADT] = true,
		[ACPI_SRAT] = true,
		[ACPI_SLIT] = c->machine->node_count > 1,
		[ACPI_MCFG] = bridges,
		[ACPI_IORT] = bridges && !X86(c),
		[ACPI_SSDT] = bridges,
		[ACPI_CEDT] = c->shape->bridges == SHAPE_BRIDGES_CXL,
		[ACPI_PPTT] = true,
		[ACPI_IVRS] = X86(c) && c->shape->bridges == SHAPE_BRIDGES_16,
		[ACPI_DMAR] = X86(c) && c->shape->bridges == SHAPE_BRIDGES_ONE,
		[ACPI_GTDT] = !X86(c),
		[ACPI_SPCR] = true,
		[ACPI_DBG2] = true,
		[ACPI_WAET] = X86(c) };

	for (AcpiTableId id = 0; id < ACPI_TABLE_COUNT; id++)
		cr_expect_eq(c->set.at[id] != 0, expected[id], "%s: %s", c->name,
			acpi_table_signature(id));
}

static void check_roots(const Checked *c)
{
	const uint8_t *rsdp = c->set.rsdp.data, *xsdt, *at;
	uint8_t sum = 0;

	ASSERT(c, c->set.rsdp.len == 36 && rsdp[15] == 2 && get_le(rsdp + 20, 4) == 36);
	for (size_t i = 0; i < 20; i++)
		sum = (uint8_t)(sum + rsdp[i]);
	EXPECT(c, sum == 0);
	for (size_t i = 20; i < 36; i++)
		sum = (uint8_t)(sum + rsdp[i]);
	EXPECT(c, sum == 0);
	EXPECT(c, get_le(rsdp + 16, 4) == 0);

	xsdt = c->set.tables.data + (get_le(rsdp + 24, 8) - CHECKLIST_GPA);
	expect_table((Bytes){ xsdt, get_le(xsdt + 4, 4) }, "XSDT");
	at = xsdt + 36;
	for (AcpiTableId id = 0; id < ACPI_TABLE_COUNT; id++) {
		if (!c->set.at[id] || id == ACPI_DSDT || id == ACPI_FACS)
			continue;
		EXPECT(c, get_le(at, 8) == c->set.at[id]);
		at += 8;
	}
	EXPECT(c, (size_t)(at - xsdt) == get_le(xsdt + 4, 4));
	EXPECT(c, get_le(xsdt + 36, 8) == c->set.at[ACPI_FADT]);
}

/* An I/O block is there exactly if its length is; its width is its length. */
static void check_block(const Checked *c, const uint8_t *fadt, size_t gas, size_t len_at)
{
	const uint8_t len = fadt[len_at];

	EXPECT(c, (get_le(fadt + gas + 4, 8) != 0) == (len != 0));
	EXPECT(c, fadt[gas + 1] == 8 * len);
}

static void check_fadt(const Checked *c)
{
	const uint8_t *fadt = checked_table(c, ACPI_FADT).data;

	EXPECT(c, get_le(fadt + 140, 8) == c->set.at[ACPI_DSDT]);
	EXPECT(c, get_le(fadt + 132, 8) == c->set.at[ACPI_FACS]);
	EXPECT(c, c->set.at[ACPI_FACS] % 64 == 0);
	EXPECT(c, get_le(fadt + 36, 8) == 0);
	EXPECT(c, get_le(fadt + 112, 4) == (X86(c) ? 0x85B5 : 0x100000));
	EXPECT(c, get_le(fadt + 46, 2) == (X86(c) ? 9 : 0));
	EXPECT(c, get_le(fadt + 129, 2) == (X86(c) ? 0 : 3));
	EXPECT(c, fadt[131] == (X86(c) ? 0 : 3));
	check_block(c, fadt, 148, 88);
	check_block(c, fadt, 172, 89);
	check_block(c, fadt, 208, 91);
	check_block(c, fadt, 220, 92);
	EXPECT(c, X86(c) ? fadt[117] == 8 && fadt[118] == 0 : get_le(fadt + 116, 8) == 0);
}

/* What the MADT says of processors; index: uid - 1. */
typedef struct Madt {
	bool seen[2048];
	uint32_t id[2048];
	size_t small, wide, others[256];
	uint8_t nmi_uid;
} Madt;

static void see(const Checked *c, Madt *madt, uint32_t uid, uint32_t id)
{
	ASSERT(c, uid >= 1 && uid <= c->in->topology->count && !madt->seen[uid - 1]);
	madt->seen[uid - 1] = true;
	madt->id[uid - 1] = id;
}

static void read_madt_entry(const Checked *c, const uint8_t *at, Madt *madt)
{
	static const uint8_t lengths[16] = { 8, 12, 10, 0, 6, 0, 0, 0, 0, 16, 12, 80, 24, 24, 0,
		20 };

	ASSERT(c, at[0] < 16 && at[1] == lengths[at[0]] && at[1] > 0);
	madt->others[at[0]]++;
	switch (at[0]) {
	case 0:
		EXPECT(c, at[3] != 0xFF && get_le(at + 4, 4) == 1);
		see(c, madt, at[2], at[3]);
		madt->small++;
		break;
	case 4:
		madt->nmi_uid = at[2];
		break;
	case 9:
		EXPECT(c, get_le(at + 2, 2) == 0 && get_le(at + 8, 4) == 1);
		see(c, madt, (uint32_t)get_le(at + 12, 4), (uint32_t)get_le(at + 4, 4));
		madt->wide++;
		EXPECT(c, get_le(at + 4, 4) >= 0xFF);
		break;
	case 11:
		EXPECT(c,
			get_le(at + 12, 4) == 1 && get_le(at + 68, 8) < UINT64_C(1) << 40 &&
				get_le(at + 60, 8) != 0 && get_le(at + 32, 8) == 0);
		see(c, madt, (uint32_t)get_le(at + 8, 4), (uint32_t)get_le(at + 68, 8));
		EXPECT(c, madt->others[12] == 1);
		break;
	default:
		break;
	}
}

static void check_madt(const Checked *c, Madt *madt)
{
	const Bytes table = checked_table(c, ACPI_MADT);
	size_t at = 44;

	while (at < table.len) {
		ASSERT(c, at + 2 <= table.len && at + table.data[at + 1] <= table.len);
		read_madt_entry(c, table.data + at, madt);
		at += table.data[at + 1];
	}
	EXPECT(c, at == table.len);
	for (size_t i = 0; i < c->in->topology->count; i++)
		ASSERT(c, madt->seen[i]);
	EXPECT(c, madt->others[1] == X86(c) && madt->others[2] == X86(c));
	EXPECT(c, !X86(c) || (madt->others[4] == 1 && madt->nmi_uid == 1));
	EXPECT(c, madt->others[12] == !X86(c) && madt->others[15] == !X86(c));
}

static void check_srat(const Checked *c, const Madt *madt)
{
	const Bytes table = checked_table(c, ACPI_SRAT);
	const ProcessorTopology *topology = c->in->topology;
	size_t at = 48, vp = 0, range = 0, initiators = 0;
	uint64_t end = 0;

	for (; at < table.len; at += table.data[at + 1]) {
		const uint8_t *e = table.data + at;

		ASSERT(c, at + 2 <= table.len && e[1] > 0 && at + e[1] <= table.len);
		if (e[0] == 0) {
			ASSERT(c, e[1] == 16 && vp < topology->count);
			EXPECT(c, e[3] == madt->id[vp] && get_le(e + 4, 4) == 1);
			EXPECT(c, e[2] == topology->vps[vp].vnode);
			vp++;
		} else if (e[0] == 2) {
			ASSERT(c, e[1] == 24 && vp < topology->count);
			EXPECT(c, get_le(e + 8, 4) == madt->id[vp] && get_le(e + 12, 4) == 1);
			EXPECT(c, get_le(e + 4, 4) == topology->vps[vp].vnode);
			vp++;
		} else if (e[0] == 3) {
			ASSERT(c, e[1] == 18 && vp < topology->count);
			EXPECT(c, get_le(e + 6, 4) == vp + 1 && get_le(e + 10, 4) == 1);
			EXPECT(c, get_le(e + 2, 4) == topology->vps[vp].vnode);
			vp++;
		} else if (e[0] == 1) {
			ASSERT(c, e[1] == 40 && range < c->in->ram.count);
			EXPECT(c, get_le(e + 8, 8) >= end && get_le(e + 16, 8) > 0);
			end = get_le(e + 8, 8) + get_le(e + 16, 8);
			EXPECT(c, end == c->in->ram.items[range].range.end);
			EXPECT(c, get_le(e + 2, 4) == c->in->ram.items[range].vnode);
			EXPECT(c, get_le(e + 2, 4) < c->machine->node_count);
			range++;
		} else {
			ASSERT(c, e[0] == 5 && e[1] == 32 && e[3] == 1);
			initiators++;
		}
	}
	EXPECT(c, at == table.len && vp == topology->count && range == c->in->ram.count);
	EXPECT(c, initiators == c->in->initiator_count);
}

static void check_slit(const Checked *c)
{
	const Bytes table = checked_table(c, ACPI_SLIT);
	const size_t n = c->machine->node_count;

	if (!table.len)
		return;
	ASSERT(c, table.len == 44 + n * n && get_le(table.data + 36, 8) == n);
	for (size_t i = 0; i < n * n; i++)
		ASSERT(c, table.data[44 + i] == (i % (n + 1) == 0 ? 10 : 20));
}

static void check_mcfg(const Checked *c)
{
	const Bytes table = checked_table(c, ACPI_MCFG);

	if (!table.len)
		return;
	ASSERT(c, table.len == 44 + 16 * c->in->bridge_count);
	for (size_t i = 0; i < c->in->bridge_count; i++) {
		const uint8_t *e = table.data + 44 + 16 * i;

		EXPECT(c, get_le(e, 8) % SHAPE_MIB == 0);
		EXPECT(c, get_le(e, 8) + e[10] * SHAPE_MIB == c->in->bridges[i].ecam.start);
		EXPECT(c, get_le(e + 8, 2) == i && e[10] == 0 && e[11] == 255);
		EXPECT(c, get_le(e + 12, 4) == 0);
	}
}

/* Nodes tile the table, and every reference hits the start of one before it. */
static void check_iort(const Checked *c)
{
	const Bytes table = checked_table(c, ACPI_IORT);
	bool starts[4096] = { false };
	size_t nodes = 0, at = 48, length;

	if (!table.len)
		return;
	ASSERT(c, table.len < sizeof(starts) && get_le(table.data + 40, 4) == 48);
	for (; at < table.len; at += length, nodes++) {
		const uint8_t *e = table.data + at;
		const size_t mappings = get_le(e + 8, 4), first = get_le(e + 12, 4);

		length = get_le(e + 1, 2);
		ASSERT(c, length >= 16 && at + length <= table.len);
		ASSERT(c, mappings == 0 || first + 20 * mappings <= length);
		for (size_t i = 0; i < mappings; i++) {
			const size_t to = get_le(e + first + 20 * i + 12, 4);

			ASSERT(c, to < at && starts[to]);
		}
		starts[at] = true;
	}
	EXPECT(c, nodes == get_le(table.data + 36, 4));
}

/* Parents and caches stand before who refers to them; leaves are the MADT's processors. */
static void check_pptt(const Checked *c)
{
	const Bytes table = checked_table(c, ACPI_PPTT);
	const bool right = c->in->profile == ACPI_PROFILE_DEFAULT;
	bool *starts = calloc(table.len + 1, sizeof(*starts));
	size_t at = 36, leaves = 0;

	for (; at < table.len; at += table.data[at + 1]) {
		const uint8_t *e = table.data + at;

		ASSERT(c, e[1] >= 20 && at + e[1] <= table.len);
		starts[at] = true;
		if (e[0] == 1) {
			ASSERT(c, get_le(e + 8, 4) == 0 || starts[get_le(e + 8, 4)]);
			continue;
		}
		ASSERT(c, e[0] == 0 && e[1] == 20 + 4 * get_le(e + 16, 4));
		ASSERT(c, get_le(e + 8, 4) == 0 || starts[get_le(e + 8, 4)]);
		for (size_t i = 0; i < get_le(e + 16, 4); i++)
			ASSERT(c, starts[get_le(e + 20 + 4 * i, 4)]);
		if (get_le(e + 4, 4) & 2) {
			leaves++;
			EXPECT(c,
				get_le(e + 12, 4) >= 1 &&
					get_le(e + 12, 4) <= c->in->topology->count);
		}
	}
	EXPECT(c, at == table.len);
	EXPECT(c, !right || leaves == c->in->topology->count);
	free(starts);
}

static void check_remapping(const Checked *c)
{
	const Bytes ivrs = checked_table(c, ACPI_IVRS), dmar = checked_table(c, ACPI_DMAR);

	if (ivrs.len) {
		EXPECT(c, ivrs.data[48] == 0x11 && 48 + get_le(ivrs.data + 50, 2) == ivrs.len);
		EXPECT(c, ivrs.data[ivrs.len - 8] == 0x48 && ivrs.data[ivrs.len - 4] == 0);
	}
	if (dmar.len) {
		EXPECT(c, get_le(dmar.data + 48, 2) == 0);
		EXPECT(c, 48 + get_le(dmar.data + 50, 2) == dmar.len);
		EXPECT(c, dmar.data[dmar.len - 8] == 3 && dmar.data[dmar.len - 4] == 0);
	}
}

static void check_cedt(const Checked *c)
{
	const Bytes cedt = checked_table(c, ACPI_CEDT);

	if (!cedt.len)
		return;
	EXPECT(c, cedt.data[36] == 0 && get_le(cedt.data + 38, 2) == 32);
	EXPECT(c, get_le(cedt.data + 40, 4) == 6 && get_le(cedt.data + 52, 8) % 0x10000 == 0);
	EXPECT(c, cedt.data[68] == 1 && get_le(cedt.data + 70, 2) == 40);
	EXPECT(c, get_le(cedt.data + 76, 8) % (256 * SHAPE_MIB) == 0);
	EXPECT(c, get_le(cedt.data + 84, 8) % (256 * SHAPE_MIB) == 0);
	EXPECT(c, get_le(cedt.data + 104, 4) == 6);
}

static void check_tables(const Checked *c)
{
	Madt *madt = calloc(1, sizeof(*madt));

	check_frames(c);
	check_presence(c);
	check_roots(c);
	check_fadt(c);
	check_madt(c, madt);
	check_srat(c, madt);
	check_slit(c);
	check_mcfg(c);
	check_iort(c);
	check_pptt(c);
	check_remapping(c);
	check_cedt(c);
	free(madt);
}

CHECK_SHAPES(checklist_tables, check_tables)
