/*
 * A fixture: boot info as recorded, what it was planned with, and what is expected of it.
 *
 * The container is deterministic CBOR (RFC 8949 4.2.1) with integer keys; docs/formats.md gives
 * its schema. Bytes are checked head by head before anything is decoded; nothing is allocated
 * for a claimed count. Source: [RFC8949]
 */
#ifndef HOST_FIXTURE_H
#define HOST_FIXTURE_H

#include "loaders/boot_path.h"

#define FIXTURE_MAX_SIZE ((size_t)1024 * 1024) /* bytes of a file */

/* Without host capabilities the guest has addresses of this width: part of the schema. */
#define FIXTURE_ADDRESS_BITS 46

/*
 * Whatever may be absent says so by a NULL pointer (Bytes, texts, lists) or by a bool beside it:
 * an empty list and none are two encodings.
 */

/* One processor as the host's hypervisor numbers it. */
typedef struct FixtureVp {
	uint32_t index;
	uint64_t id; /* APIC id, or MPIDR affinity */
	uint32_t vnode;
} FixtureVp;

typedef struct FixtureVpList {
	const FixtureVp *items;
	size_t count; /* at least 1 */
} FixtureVpList;

/* Kinds of parameter that a plan uses: IGVM's numbers of the headers that ask for them. */
#define FIXTURE_PARAMETER_SLIT 0x30f
#define FIXTURE_PARAMETER_PPTT 0x310

/* A raw IGVM parameter area. */
typedef struct FixtureParameter {
	uint64_t kind;
	Bytes data;
} FixtureParameter;

typedef struct FixtureParameterList {
	const FixtureParameter *items;
	size_t count;
} FixtureParameterList;

typedef struct FixtureHostCaps {
	uint8_t physical_address_bits;
	bool has_alias_base, has_x2apic;
	uint64_t alias_base;
	bool x2apic; /* not stated: no */
	FixtureVpList vps;
} FixtureHostCaps;

/* What was in effect, never "default": a fixture reproduces its digests on any machine. */
typedef struct FixtureOptions {
	uint8_t entropy[ENTROPY_SIZE];
	MtrrPolicy mtrr;
	AcpiProfile acpi;
	uint32_t layout_version;
	uint32_t vps_per_socket; /* at least 1 */
	bool smt;
	uint32_t relay_devices;
} FixtureOptions;

typedef struct FixtureArtifact {
	const char *name;
	Digest digest;
} FixtureArtifact;

typedef struct FixtureArtifactList {
	const FixtureArtifact *items; /* by the order of their encoded names */
	size_t count;
} FixtureArtifactList;

typedef enum FixtureSpace { FIXTURE_MEMORY, FIXTURE_MMIO, FIXTURE_SPACE_COUNT } FixtureSpace;

/* A range of the layout; @role is the wire's MemoryRole or MmioRole. */
typedef struct FixtureRange {
	uint64_t start, len;
	FixtureSpace space;
	uint32_t role;
} FixtureRange;

typedef struct FixtureRangeList {
	const FixtureRange *items;
	size_t count;
} FixtureRangeList;

typedef struct FixtureTextList {
	const char *const *items;
	size_t count;
} FixtureTextList;

typedef struct FixtureExpect {
	bool ok;
	/* ok: what comes out */
	Digest plan;
	FixtureArtifactList artifacts;
	FixtureRangeList ranges;
	FixtureTextList allowed; /* diagnostics that may be reported */
	/* not ok: how it is refused */
	const char *diagnostic; /* "PVW-ROLE-0007" */
	bool has_offset;
	uint64_t offset; /* in the diagnostic's source */
} FixtureExpect;

typedef struct FixtureProvenance {
	bool present;
	const char *tool; /* name and version */
	bool has_time;
	uint64_t unix_time; /* seconds */
	const char *note;   /* NULL = none */
} FixtureProvenance;

typedef struct Fixture {
	GuestArch arch;
	IsolationType isolation;
	Bytes boot_tree;
	Bytes settings; /* encoded pvw.v1.DevicePlatformSettings */
	FixtureParameterList parameters;
	bool has_host_caps;
	FixtureHostCaps host_caps;
	bool has_measured;
	Bytes measured_vtl0, measured_vtl2;
	FixtureExpect expect;
	FixtureProvenance provenance;
	FixtureOptions options;
} Fixture;

/**
 * fixture_read - decode a file's bytes
 * @out: borrows from @bytes; lists and strings live in @arena
 *
 * Outputs are untouched on failure. The source of errors is "fixture", with the offset.
 *
 * Errors: PVW_FIXTURE_0001 (BAD_VALUE) not deterministic CBOR; _0002 (BAD_VALUE) against the
 * schema, naming the member; _0003 (LIMIT) too large, deep or many; _0004 (TRUNCATED);
 * _0005 (UNSUPPORTED) not a fixture, or of another version.
 */
MUST_CHECK bool fixture_read(Bytes bytes, Arena *arena, Fixture *out, Error *err);

/**
 * fixture_write - the one encoding of a fixture
 * @out: lives in @arena
 *
 * fixture_read of the result gives @fixture again, and only what it would read is written.
 *
 * Errors: those of fixture_read, for values out of bounds and lists out of order.
 */
MUST_CHECK bool fixture_write(const Fixture *fixture, Arena *arena, Bytes *out, Error *err);

#endif
