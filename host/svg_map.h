/*
 * An address space as a picture in SVG: self-contained, without scripts, the same bytes for the
 * same map.
 *
 *	0x0          ┌──────────┐
 *	             │    R0    │  VTL0 RAM      2.9 GiB  node 0
 *	0xb8000000   ~~~~~~~~~~~~  gap            64 MiB
 *	0xbc000000   ┌──────────┐
 *
 * Nothing but numbers and printable ASCII gets from a caller's text into the picture. Colours
 * are told apart by colour-blind people too, and hatching tells roles apart without any.
 */
#ifndef HOST_SVG_MAP_H
#define HOST_SVG_MAP_H

#include <stdio.h>

#include "support/arena.h"

/* What colour and hatching stand for. */
typedef enum SvgRole {
	SVG_RAM,
	SVG_SPECIAL_RAM, /* the guest's, but not for any use */
	SVG_CHIPSET,
	SVG_DEVICE,
	SVG_PCIE,
	SVG_VTL2, /* not the guest's */
	SVG_RESERVED,
	SVG_ROLE_COUNT
} SvgRole;

/* How far down an address is drawn. */
typedef enum SvgScale {
	SVG_LOG,    /* heights grow with the logarithm of the size; gaps are broken */
	SVG_LINEAR, /* to scale; names are led to their place */
	SVG_SCALE_COUNT
} SvgScale;

/* A range; @last belongs to it, because a range may reach 2^64. */
typedef struct SvgBand {
	uint64_t start, last;
	SvgRole role;
	const char *badge;  /* one or two letters, drawn on the band */
	const char *name;   /* "VTL0 RAM" */
	const char *detail; /* "node 0" or "" */
} SvgBand;

/* A line of the list below the picture. */
typedef struct SvgNote {
	uint64_t start, size;
	const char *name, *detail;
} SvgNote;

typedef struct SvgMap {
	const char *title;
	const char *description;  /* for screen readers: one sentence */
	const char *const *facts; /* lines below the title */
	size_t fact_count;
	const SvgBand *bands; /* ascending by start; may overlap */
	size_t band_count;
	const char *note_title; /* above the list */
	const SvgNote *notes;
	size_t note_count;
	SvgScale scale;
	uint64_t from; /* where the picture begins */
} SvgMap;

/**
 * svg_map_print - the picture
 *
 * Scratch lives in @arena. What cannot be written is found by whoever flushes @out.
 *
 * Errors: PVW_MEM_0001 (LIMIT).
 */
MUST_CHECK bool svg_map_print(FILE *out, const SvgMap *map, Arena *arena, Error *err);

#endif
