/*
 * Random boot info and host info that a tree can say: what is drawn from one state is always the
 * same. Nothing is drawn that a reader would refuse; ranges of one kind do not overlap.
 */
#ifndef BOOTINFO_RANDOM_TREES_H
#define BOOTINFO_RANDOM_TREES_H

#include "bootinfo/host_info.h"
#include "support/arena.h"

/** random_draw - a number below @below, which is not 0 */
uint64_t random_draw(uint64_t *state, uint64_t below);

/** random_boot_info - as boot_info_parse would give it, places of claims included */
BootInfo random_boot_info(uint64_t *state, Arena *arena);

/** random_host_info - as host_info_parse would give it, without places of claims */
HostInfo random_host_info(uint64_t *state, Arena *arena);

#endif
