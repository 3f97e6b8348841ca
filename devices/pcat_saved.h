/*
 * The PCAT device's state as bytes, for a worker that is replaced while its guest lives.
 *
 * Nothing is ever pending: a wait is part of an answer that was given, and its completion is the
 * host's. The layout is docs/formats.md's, "PCAT device state".
 */
#ifndef DEVICES_PCAT_SAVED_H
#define DEVICES_PCAT_SAVED_H

#include "devices/pcat_device.h"

#define PCAT_SAVED_SIZE 120

/** pcat_save - all of it; the entropy is in it, so it is as secret as that */
void pcat_save(const PcatState *state, uint8_t out[PCAT_SAVED_SIZE]);

/**
 * pcat_restore - what pcat_save gave
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_PCAT_0011 (BAD_VALUE) another magic or length, or a flag that is none.
 */
MUST_CHECK bool pcat_restore(Bytes saved, PcatState *out, Error *err);

#endif
