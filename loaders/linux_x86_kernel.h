/*
 * Kernels for x86-64 as they come: in guest memory already, as a bzImage or as an ELF file.
 */
#ifndef LOADERS_LINUX_X86_KERNEL_H
#define LOADERS_LINUX_X86_KERNEL_H

#include "loaders/boot_image.h"

typedef struct LinuxX86Kernel {
	BootImage image;           /* all of it, with what it uses before it reads its map */
	const Artifact *artifacts; /* what is written, or compared; ascending */
	size_t artifact_count;
	uint64_t entry;     /* GPA of the 64-bit entry, below 4 GiB */
	Bytes setup_header; /* for the zero page, with where it was put; empty: it has none */
	uint64_t initrd_limit; /* GPA of the first byte behind the highest initrd */
	bool above_4gib;       /* behind 4 GiB it may lie too, wherever there is RAM */
	uint32_t max_line; /* bytes of a command line without NUL; 0: the kernel does not say */
} LinuxX86Kernel;

/**
 * linux_x86_find_kernel - which kernel is it, and where does it go?
 * @settings:  the kernel's bytes are borrowed by @out
 * @isolation: isolated guests take no bytes from the host
 * @ram:       of VTL0, ascending
 * @out:       in @arena; untouched on failure
 *
 * A bzImage goes to 1 MiB. If what it needs from there on is not RAM and it is relocatable, it
 * goes to the lowest place with room for it, aligned as it asks. An ELF kernel goes where its
 * segments say.
 *
 * Errors: PVW_LINUX_0014 (MISSING), _0015 (UNSUPPORTED) a kernel of a known kind that cannot be
 * started, _0016, _0017 (BAD_VALUE) entry, _0020, _0022 (DENIED), _0023 (NO_SPACE), _0024
 * (BAD_VALUE) not a kernel; those of bzimage_parse and elf_image_parse.
 */
MUST_CHECK bool linux_x86_find_kernel(const LinuxSettings *settings, IsolationType isolation,
	LayoutRecordList ram, Arena *arena, LinuxX86Kernel *out, Error *err);

#endif
