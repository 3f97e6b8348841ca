#include "helpers/firmware_builder.h"

#include <string.h>

#include "helpers/kernel_builder.h"

static void put_volume_header(uint8_t *volume, uint64_t len)
{
	memset(volume, 0, 0x48);
	kernel_put(volume, 0x20, 8, len);
	memcpy(volume + 0x28, "_FVH", 4);
	kernel_put(volume, 0x2c, 4, 0x0004feff);
	kernel_put(volume, 0x30, 2, 0x48);
	kernel_put(volume, 0x37, 1, 2);
	kernel_put(volume, 0x38, 4, (uint32_t)(len >> 12));
	kernel_put(volume, 0x3c, 4, 0x1000);
}

static void put_file(uint8_t *volume, size_t at, uint8_t type, uint32_t size)
{
	memset(volume + at, 0x11, 16);
	kernel_put(volume, at + 16, 2, 0xaa55);
	kernel_put(volume, at + 18, 1, type);
	kernel_put(volume, at + 19, 1, 0);
	kernel_put(volume, at + 20, 3, size);
	kernel_put(volume, at + 23, 1, 0xf8);
}

static void put_section(uint8_t *volume, size_t at, uint8_t type, uint32_t size)
{
	kernel_put(volume, at, 3, size);
	kernel_put(volume, at + 3, 1, type);
}

static void put_pe(uint8_t *code)
{
	memset(code, 0, 0x200);
	memset(code + 0x200, 0x90, 0x200);
	memcpy(code, "MZ", 2);
	kernel_put(code, 0x3c, 4, 0x80);
	memcpy(code + 0x80, "PE\0\0", 4);
	kernel_put(code, 0x84, 2, 0x8664);
	kernel_put(code, 0x94, 2, 0xf0);
	kernel_put(code, 0x98, 2, 0x20b);
	kernel_put(code, 0xa8, 4, 0x240);
}

void firmware_make_te(uint8_t *volume)
{
	uint8_t *code = volume + FIRMWARE_CODE;

	put_section(volume, FIRMWARE_SECTION, 0x12, 0x404);
	memset(code, 0, 40);
	memcpy(code, "VZ", 2);
	kernel_put(code, 2, 2, 0x8664);
	kernel_put(code, 6, 2, 0x1d8);
	kernel_put(code, 8, 4, 0x240 + 0x1d8 - 40);
}

void firmware_x86(uint8_t image[FIRMWARE_X86_SIZE])
{
	uint8_t *volume = image + FIRMWARE_X86_SEC;

	for (size_t i = 0; i < FIRMWARE_X86_SEC; i++)
		image[i] = (uint8_t)(i % 251);
	memset(volume, 0xff, FIRMWARE_VOLUME_SIZE);
	put_volume_header(volume, FIRMWARE_VOLUME_SIZE);
	put_file(volume, FIRMWARE_FILE_PAD, 0xf0, 0x23);
	put_file(volume, FIRMWARE_FILE_SEC, 0x03, 24 + 0x10 + 0x404);
	put_section(volume, FIRMWARE_SECTION_UI, 0x15, 0x0e);
	put_section(volume, FIRMWARE_SECTION, 0x10, 0x404);
	put_pe(volume + FIRMWARE_CODE);
}

void firmware_arm64(uint8_t image[FIRMWARE_ARM64_SIZE])
{
	for (size_t i = 0; i < FIRMWARE_ARM64_SIZE; i++)
		image[i] = (uint8_t)(i % 241);
	put_volume_header(image + 0x1000, 0x1ff000);
}
