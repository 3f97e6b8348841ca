/*
 * The guest's architecture: a value, never a build switch. Tables are indexed by it.
 */
#ifndef SUPPORT_GUEST_ARCH_H
#define SUPPORT_GUEST_ARCH_H

typedef enum GuestArch { GUEST_ARCH_X86_64, GUEST_ARCH_AARCH64, GUEST_ARCH_COUNT } GuestArch;

/** guest_arch_name - "x86_64" or "aarch64" */
static inline const char *guest_arch_name(GuestArch arch)
{
	return arch == GUEST_ARCH_X86_64 ? "x86_64" : "aarch64";
}

#endif
