/*
 * What the files of the PCAT device share.
 */
#ifndef DEVICES_PCAT_INTERNAL_H
#define DEVICES_PCAT_INTERNAL_H

#include "devices/pcat_device.h"

/* pcat_registers.c: the latched address is in @state, the answer is PCAT_DONE so far */

/** pcat_register_select - what writing the address alone does */
void pcat_register_select(PcatState *state, PcatAnswer *out);

/** pcat_register_read - what the data port gives; does not count the read */
uint32_t pcat_register_read(const PcatSetup *setup, const PcatState *state, PcatAnswer *out);

/** pcat_register_write - what the data port takes */
void pcat_register_write(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out);

#endif
