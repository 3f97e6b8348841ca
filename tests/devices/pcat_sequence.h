/*
 * Any bytes as accesses to a PCAT device: what a fuzzer calls, and a test over a corpus.
 *
 * An access is 10 bytes: kind and width, port or the low half of an address, value. What
 * must hold after each is asserted here.
 */
#ifndef TESTS_DEVICES_PCAT_SEQUENCE_H
#define TESTS_DEVICES_PCAT_SEQUENCE_H

#include <stdlib.h>

#include "devices/device.h"
#include "devices/pcat_saved.h"

#define SEQUENCE_STEP 10

#define SEQUENCE_MUST(condition)                                                               \
	do {                                                                                   \
		if (!(condition))                                                              \
			abort();                                                               \
	} while (0)

/* The first byte: bits 1:0 kind, bits 3:2 width, bit 4 the upper half of the address is 0xfffc. */
static inline PcatOperation pcat_sequence_operation(const uint8_t step[SEQUENCE_STEP])
{
	PcatOperation operation = {
		.kind = (PcatOperationKind)(step[0] & 3),
		.width = 1u << (step[0] >> 2 & 3),
		.address = step[1] | (uint64_t)step[2] << 8,
	};

	if (operation.kind == PCAT_MEMORY_READ || operation.kind == PCAT_MEMORY_WRITE)
		operation.address |= step[0] & 0x10 ? 0xfffc0000 : 0xf0000;
	memcpy(&operation.value, step + 3, 7);
	return operation;
}

/* What is written is one of five things, as a whole. */
static inline bool pcat_sequence_is_known(const Device *device, Bytes bytes)
{
	const Bytes known[] = { { NULL, 0 }, device->setup.srat, device->setup.cpu_record,
		{ device->state.entropy, PCAT_ENTROPY_SIZE },
		{ device->state.generation_id.id, GENERATION_ID_SIZE } };

	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		if (bytes.data == known[i].data && bytes.len == known[i].len)
			return true;
	}
	return false;
}

/* Two states are the same when they are saved alike: records have holes, saved bytes have none. */
static inline bool pcat_sequence_same(const PcatState *one, const PcatState *other)
{
	uint8_t saved[2][PCAT_SAVED_SIZE];

	pcat_save(one, saved[0]);
	pcat_save(other, saved[1]);
	return memcmp(saved[0], saved[1], PCAT_SAVED_SIZE) == 0;
}

static inline void pcat_sequence_check(
	const Device *device, const PcatState *before, const PcatOperation *operation)
{
	const PcatAnswer *answer = &device->answer;
	uint8_t saved[PCAT_SAVED_SIZE];
	PcatState restored = { 0 };
	Error err;

	SEQUENCE_MUST(answer->result < PCAT_RESULT_COUNT && answer->remark < PCAT_REMARK_COUNT);
	SEQUENCE_MUST(operation->width == 8 || answer->value >> 8 * operation->width == 0);
	SEQUENCE_MUST(pcat_sequence_is_known(device, answer->write.bytes));
	SEQUENCE_MUST(answer->write.gpa >> 32 == 0 ||
		answer->write.bytes.data == device->state.generation_id.id);
	SEQUENCE_MUST(answer->defer_ns <= UINT64_C(429496729500));
	/* A refusal changes nothing, and stubs never come back. */
	SEQUENCE_MUST(
		answer->result == PCAT_DONE || pcat_sequence_same(before, &device->state));
	SEQUENCE_MUST(!before->stubs_gone || device->state.stubs_gone);
	pcat_save(&device->state, saved);
	SEQUENCE_MUST(pcat_restore((Bytes){ saved, sizeof(saved) }, &restored, &err));
	SEQUENCE_MUST(pcat_sequence_same(&restored, &device->state));
}

/** pcat_sequence_run - all accesses in @data; returns how many wrote; aborts on a bug */
static inline size_t pcat_sequence_run(const uint8_t *data, size_t len)
{
	size_t writes = 0;
	Device device;
	Error err;

	SEQUENCE_MUST(device_begin(&device, &err));
	for (size_t at = 0; at + SEQUENCE_STEP <= len; at += SEQUENCE_STEP) {
		const PcatOperation operation = pcat_sequence_operation(data + at);
		const PcatState before = device.state;

		pcat_step(&device.setup, &device.state, &operation, &device.answer);
		pcat_sequence_check(&device, &before, &operation);
		writes += device.answer.write.bytes.len != 0;
	}
	return writes;
}

#endif
