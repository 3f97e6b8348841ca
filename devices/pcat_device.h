/*
 * The PCAT BIOS's helper device: a pair of I/O ports through which the BIOS asks what it cannot
 * know, a latch for POST codes, and the ROM.
 *
 *	0x28, 4 bytes  address: which register; also starts what needs no data
 *	0x2c, 4 bytes  data of that register
 *	0x80           POST code
 *	0xf_0000, 0xfffc_0000  ROM, where the host does not map it
 *
 * The device is a step: state and operation in, state and answer out. It has no clock (a wait is an
 * answer that may be given only later), no random source (entropy is given at reset) and no guest
 * memory (what it wants written is in its answer). So nothing that a guest does can fail: every
 * operation has an answer.
 * Source: [OVMM] vm/devices/firmware/firmware_pcat/src/lib.rs
 */
#ifndef DEVICES_PCAT_DEVICE_H
#define DEVICES_PCAT_DEVICE_H

#include "devices/generation_id.h"
#include "devices/pcat_setup.h"

#define PCAT_ENTROPY_SIZE 64
#define PCAT_MAX_CLAIMS 19

typedef enum PcatOperationKind {
	PCAT_PORT_READ,
	PCAT_PORT_WRITE,
	PCAT_MEMORY_READ,
	PCAT_MEMORY_WRITE
} PcatOperationKind;

/* One access of a processor. */
typedef struct PcatOperation {
	PcatOperationKind kind;
	uint64_t address; /* port or GPA */
	uint32_t width;   /* bytes: 1, 2, 4 or 8; a port's at most 4 */
	uint64_t value;   /* writes; what is above @width is ignored */
} PcatOperation;

typedef enum PcatResult {
	PCAT_DONE,
	PCAT_NOT_CLAIMED, /* somebody else's */
	PCAT_BAD_WIDTH,
	PCAT_BAD_REGISTER, /* between address and data */
	PCAT_RESULT_COUNT
} PcatResult;

/* What the firmware reports. */
typedef enum PcatEvent {
	PCAT_EVENT_NONE,
	PCAT_EVENT_BOOT_FAILURE,
	PCAT_EVENT_BOOT_ATTEMPT
} PcatEvent;

/* What a log should have of an answer that is given all the same. */
typedef enum PcatRemark {
	PCAT_REMARK_NONE,
	PCAT_REMARK_UNKNOWN_REGISTER,
	PCAT_REMARK_SRAT_SIZE,
	PCAT_REMARK_SRAT_OFFSET,
	PCAT_REMARK_SRAT_END,
	PCAT_REMARK_SRAT_ADDRESS,
	PCAT_REMARK_E820_INDEX,
	PCAT_REMARK_E820_READS,
	PCAT_REMARK_ROM_READ,
	PCAT_REMARK_ROM_WRITE,
	PCAT_REMARK_COUNT
} PcatRemark;

/* The whole effect of one access. */
typedef struct PcatAnswer {
	PcatResult result;
	PcatEvent event;
	PcatRemark remark;
	bool replay_mtrrs; /* all processors get their first MTRRs and PAT again */
	bool pulse_gpe0;   /* set and clear the line */
	uint64_t value;    /* reads; all ones when it is not PCAT_DONE */
	uint64_t defer_ns; /* the access completes not before this time is over */
	GuestWrite write;  /* no bytes: none; borrowed, until the next step */
} PcatAnswer;

typedef struct PcatState {
	uint32_t address, read_count; /* reads of the data port since the address was set */
	uint32_t srat_offset, srat_size;
	uint32_t port80;
	uint8_t e820_entry;
	bool entropy_placed;
	bool stubs_gone; /* what only POST needs */
	GenerationId generation_id;
	uint8_t entropy[PCAT_ENTROPY_SIZE];
} PcatState;

/** pcat_reset - as a guest finds it that starts; the generation id is kept */
void pcat_reset(PcatState *state, const uint8_t entropy[PCAT_ENTROPY_SIZE]);

/** pcat_step - one access; @state changes, @out is written as a whole */
void pcat_step(const PcatSetup *setup, PcatState *state, const PcatOperation *operation,
	PcatAnswer *out);

/** pcat_renew_generation_id - another id from the host: written where the guest wants it */
void pcat_renew_generation_id(
	PcatState *state, const uint8_t id[GENERATION_ID_SIZE], PcatAnswer *out);

/* Ports or guest addresses, the last one included. */
typedef struct PcatClaim {
	bool is_port;
	uint64_t first, last;
	const char *name; /* "pcat", "pcat.post", "pcat.stub", "pcat.rom" */
} PcatClaim;

/** pcat_claims - what is the device's now, ports first; returns how many */
size_t pcat_claims(const PcatState *state, PcatClaim out[PCAT_MAX_CLAIMS]);

/** pcat_remark_text - what a log says; "" for PCAT_REMARK_NONE */
const char *pcat_remark_text(PcatRemark remark);

/** pcat_register_name - "SRAT_DATA", or NULL if the device has no such register */
const char *pcat_register_name(uint32_t address);

#endif
