/*
 * A PCAT device for tests: the artifact is put together here byte by byte, as docs/formats.md says.
 */
#ifndef TESTS_DEVICES_DEVICE_H
#define TESTS_DEVICES_DEVICE_H

#include <string.h>

#include "devices/pcat_device.h"

#define DEVICE_PROCESSORS 3
#define DEVICE_SRAT_SIZE 42 /* no multiple of a word */
#define DEVICE_ARTIFACT_SIZE (364 + 4 * DEVICE_PROCESSORS + 2 * 12 + DEVICE_SRAT_SIZE)
#define DEVICE_ENTROPY 0x5a

static inline void device_put(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* Numbers name their place: the register's address in the low byte. */
static inline void device_artifact(uint8_t out[DEVICE_ARTIFACT_SIZE])
{
	static const uint8_t numbers[] = { 0x07, 0x0d, 0x10, 0x12, 0x1f, 0x20, 0x21, 0x23 };
	static const uint32_t e820[] = { 0x1005, 0xc0000000, 0x1, 0x2001, 0x0, 0x2 };
	static const uint32_t apic_ids[DEVICE_PROCESSORS] = { 0, 1, 0x104 };

	memset(out, 0, DEVICE_ARTIFACT_SIZE);
	memcpy(out, "PVWPCAT1", 8);
	device_put(out + 8, DEVICE_ARTIFACT_SIZE);
	device_put(out + 12, 0xabcd00);
	device_put(out + 16, 1);
	for (size_t i = 0; i < 16; i++)
		out[20 + i] = (uint8_t)(0xa0 + i);
	for (size_t i = 0; i < 5 * 32; i++)
		out[36 + i] = (uint8_t)('A' + i / 32 + (i % 32 == 31 ? 32 : 0));
	for (size_t i = 0; i < sizeof(numbers); i++)
		device_put(out + 196 + 4 * i, 0x77770000u | numbers[i]);
	for (size_t i = 0; i < 123; i++)
		out[228 + i] = (uint8_t)(i + 1);
	device_put(out + 352, DEVICE_PROCESSORS);
	device_put(out + 356, 2);
	device_put(out + 360, DEVICE_SRAT_SIZE);
	memcpy(out + 364, apic_ids, sizeof(apic_ids));
	memcpy(out + 376, e820, sizeof(e820));
	for (size_t i = 0; i < DEVICE_SRAT_SIZE; i++)
		out[400 + i] = (uint8_t)(0x40 + i);
}

typedef struct Device {
	uint8_t artifact[DEVICE_ARTIFACT_SIZE];
	PcatSetup setup;
	PcatState state;
	PcatAnswer answer; /* the last one */
} Device;

static inline bool device_begin(Device *device, Error *err)
{
	uint8_t entropy[PCAT_ENTROPY_SIZE];

	memset(device, 0, sizeof(*device));
	device_artifact(device->artifact);
	memset(entropy, DEVICE_ENTROPY, sizeof(entropy));
	memset(device->state.generation_id.id, 0x6e, GENERATION_ID_SIZE);
	pcat_reset(&device->state, entropy);
	return pcat_setup_read(
		(Bytes){ device->artifact, sizeof(device->artifact) }, &device->setup, err);
}

static inline uint64_t device_do(Device *device, PcatOperationKind kind, uint64_t address,
	uint32_t width, uint64_t value)
{
	const PcatOperation operation = { kind, address, width, value };

	pcat_step(&device->setup, &device->state, &operation, &device->answer);
	return device->answer.value;
}

static inline void device_out(Device *device, uint64_t port, uint32_t width, uint64_t value)
{
	device_do(device, PCAT_PORT_WRITE, port, width, value);
}

static inline uint64_t device_in(Device *device, uint64_t port, uint32_t width)
{
	return device_do(device, PCAT_PORT_READ, port, width, 0);
}

static inline void device_select(Device *device, uint32_t address)
{
	device_out(device, 0x28, 4, address);
}

static inline uint32_t device_get(Device *device)
{
	return (uint32_t)device_in(device, 0x2c, 4);
}

static inline void device_set(Device *device, uint32_t value)
{
	device_out(device, 0x2c, 4, value);
}

#endif
