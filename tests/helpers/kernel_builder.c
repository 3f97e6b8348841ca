#include "helpers/kernel_builder.h"

#include <string.h>

void kernel_put(uint8_t *file, size_t at, unsigned width, uint64_t value)
{
	for (unsigned i = 0; i < width; i++)
		file[at + i] = (uint8_t)(value >> (8 * i));
}

static void count_up(uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(i % 251);
}

typedef struct Field {
	size_t at;
	unsigned width;
	uint64_t value;
} Field;

static void put_fields(uint8_t *file, const Field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		kernel_put(file, fields[i].at, fields[i].width, fields[i].value);
}

void bzimage_file(uint8_t file[BZIMAGE_FILE_SIZE])
{
	static const Field fields[] = {
		{ 0x000, 2, 0x5a4d },     /* MZ, as kernels with an EFI stub have it */
		{ 0x1f1, 1, 7 },          /* setup sectors, and the boot sector */
		{ 0x1f4, 4, 0x200 },      /* of 16 bytes */
		{ 0x1fe, 2, 0xaa55 },     /* */
		{ 0x200, 2, 0x6aeb },     /* jump over the header: to 0x202 + 0x6a */
		{ 0x202, 4, 0x53726448 }, /* HdrS */
		{ 0x206, 2, 0x020f },     /* protocol */
		{ 0x211, 1, 0x01 },       /* loaded high */
		{ 0x214, 4, 0x100000 },   /* 32-bit start */
		{ 0x22c, 4, 0x7fffffff }, /* initrd's last byte */
		{ 0x230, 4, 0x200000 },   /* alignment */
		{ 0x234, 1, 1 },          /* relocatable */
		{ 0x235, 1, 21 },         /* at least 2^21 */
		{ 0x236, 2, 0x003f }, /* 64-bit entry, above 4 GiB, EFI, kexec, five levels */
		{ 0x238, 4, 2047 },   /* command line */
		{ 0x248, 4, 0x400 },  /* compressed kernel */
		{ 0x24c, 4, 0x1000 }, /* and its length */
		{ 0x258, 8, 0x1000000 }, /* preferred address */
		{ 0x260, 4, 0x400000 },  /* what it needs there */
	};

	memset(file, 0, 0x1000);
	count_up(file + 0x1000, BZIMAGE_FILE_SIZE - 0x1000);
	put_fields(file, fields, sizeof(fields) / sizeof(fields[0]));
}

void elf_file(uint8_t file[ELF_FILE_SIZE])
{
	static const Field fields[] = {
		{ 0x00, 4, 0x464c457f }, /* ELF */
		{ 0x04, 4, 0x00010102 }, /* 64 bits, little-endian, version 1 */
		{ 0x10, 2, 2 },          /* executable */
		{ 0x12, 2, 62 },         /* x86-64 */
		{ 0x14, 4, 1 },          /* version */
		{ 0x18, 8, 0x1000040 },  /* entry */
		{ 0x20, 8, 0x40 },       /* program headers */
		{ 0x34, 2, 64 },         /* header's size */
		{ 0x36, 2, 56 },         /* program header's size */
		{ 0x38, 2, 3 },          /* how many */
		/* load, readable and executable; offset, virtual, physical, file, memory, align */
		{ 0x40, 4, 1 },
		{ 0x44, 4, 5 },
		{ 0x48, 8, 0x1000 },
		{ 0x50, 8, 0xffffffff81000000 },
		{ 0x58, 8, 0x1000000 },
		{ 0x60, 8, 0x1234 },
		{ 0x68, 8, 0x1234 },
		{ 0x70, 8, 0x200000 },
		/* note */
		{ 0x78, 4, 4 },
		{ 0x80, 8, 0x3900 },
		{ 0x98, 8, 0x24 },
		/* load, readable and writable */
		{ 0xb0, 4, 1 },
		{ 0xb4, 4, 6 },
		{ 0xb8, 8, 0x3000 },
		{ 0xc0, 8, 0xffffffff82000000 },
		{ 0xc8, 8, 0x2000000 },
		{ 0xd0, 8, 0x800 },
		{ 0xd8, 8, 0x5000 },
		{ 0xe0, 8, 0x200000 },
	};

	memset(file, 0, 0x1000);
	count_up(file + 0x1000, ELF_FILE_SIZE - 0x1000);
	put_fields(file, fields, sizeof(fields) / sizeof(fields[0]));
}
