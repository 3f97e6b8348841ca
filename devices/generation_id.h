/*
 * The generation id: 16 bytes in guest memory that change when the guest is one of several copies.
 *
 * The firmware says where they lie, one half of the address at a time. Whenever a half is said and
 * both are known the id is written; a new one is written too, and announced by GPE 0.
 * Source: [OVMM] vm/devices/firmware/generation_id/src/lib.rs
 */
#ifndef DEVICES_GENERATION_ID_H
#define DEVICES_GENERATION_ID_H

#include "support/bytes.h"

#define GENERATION_ID_SIZE 16

typedef enum GenerationIdHalf {
	GENERATION_ID_LOW,
	GENERATION_ID_HIGH,
	GENERATION_ID_HALVES
} GenerationIdHalf;

typedef struct GenerationId {
	uint8_t id[GENERATION_ID_SIZE];
	bool known[GENERATION_ID_HALVES];
	uint32_t pointer[GENERATION_ID_HALVES]; /* of a GPA; 0 while not known */
} GenerationId;

/** generation_id_point - one half of the address; returns the write that follows, or none */
GuestWrite generation_id_point(GenerationId *state, GenerationIdHalf half, uint32_t value);

/** generation_id_renew - another id; returns the write that follows, or none */
GuestWrite generation_id_renew(GenerationId *state, const uint8_t id[GENERATION_ID_SIZE]);

/** generation_id_reset - the address is forgotten, the id is kept */
void generation_id_reset(GenerationId *state);

#endif
