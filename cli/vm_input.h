/*
 * A described machine as a command takes it: a file, and options that win over what it says.
 */
#ifndef CLI_VM_INPUT_H
#define CLI_VM_INPUT_H

#include "host/command.h"
#include "host/layout_view.h"

/* What wins over the document; 0 = as it says. */
typedef struct VmWishes {
	uint32_t layout_version;
	uint8_t address_bits;
	const char *pin; /* a layout that was kept, to be restored with its version */
} VmWishes;

/**
 * vm_input_load - read and resolve a VM description
 * @path: of the document; "-" is standard input
 *
 * Errors: those of file_read, vm_read, layout_kept_read and layout_view_make.
 */
MUST_CHECK bool vm_input_load(
	const char *path, VmWishes wishes, Arena *arena, LayoutView *out, Error *err);

/** vm_input_kept - a layout that was kept, from a file. Errors: file_read's, layout_kept_read's */
MUST_CHECK bool vm_input_kept(const char *path, Arena *arena, KeptLayout *out, Error *err);

/** vm_input_scale - --scale log (default) or linear */
MUST_CHECK bool vm_input_scale(const Invocation *invocation, SvgScale *out, Error *err);

#endif
