/*
 * A description of a machine with every member, what it is for, and its default.
 */
#ifndef HOST_VM_TEMPLATE_H
#define HOST_VM_TEMPLATE_H

#include <stdio.h>

#include "support/guest_arch.h"

/**
 * vm_template_print - a document that vm_read takes, and that changes no default
 *
 * Members that exclude others, or whose default follows from others, are remarks alone. One root
 * complex is there, to show its members.
 */
void vm_template_print(FILE *out, GuestArch arch);

#endif
