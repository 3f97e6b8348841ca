/*
 * What the two checklists share: a set of tables for every shape, and its tables by id.
 */
#ifndef TESTS_ACPI_CHECKLIST_H
#define TESTS_ACPI_CHECKLIST_H

#include "machine.h"
#include "shapes.h"

#define CHECKLIST_GPA UINT64_C(0x19000)

typedef struct Checked {
	const Shape *shape;
	const ShapeMachine *machine;
	const AcpiInputs *in;
	AcpiSet set;
	char name[80];
} Checked;

/* A table's bytes; none if it is not there. */
static inline Bytes checked_table(const Checked *c, AcpiTableId id)
{
	return c->set.at[id] ? (Bytes){ c->set.tables.data + (c->set.at[id] - CHECKLIST_GPA),
		c->set.len[id] }
			     : (Bytes){ 0 };
}

/* Run @check over every shape with this number of processors, in both profiles. */
static inline void check_shapes(size_t vps, void (*check)(const Checked *c))
{
	for (size_t i = 0; i < 2 * SHAPE_COUNT; i++) {
		const AcpiProfile profile = (AcpiProfile)(i / SHAPE_COUNT);
		const Shape shape = shape_at(i % SHAPE_COUNT);
		Checked c = { .shape = &shape };
		ShapeMachine *machine;
		Arena *arena;
		Error err;

		if (shape.vps != vps)
			continue;
		shape_name(&shape, c.name);
		strcat(c.name, profile == ACPI_PROFILE_DEFAULT ? "-default" : "-reference");
		machine = shape_machine_new(&shape, profile);
		c.machine = machine;
		c.in = &machine->in;
		arena = arena_new((size_t)8 << 20);
		cr_assert(acpi_build_set(c.in, CHECKLIST_GPA, arena, &c.set, &err), "%s: %s",
			c.name, err.text);
		check(&c);
		arena_free(arena);
		shape_machine_free(machine);
	}
}

/* One test a number of processors, so that they run side by side. */
#define CHECK_SHAPES(suite, check)                                                             \
	Test(suite, shapes_of_1_processor)                                                     \
	{                                                                                      \
		check_shapes(0, check);                                                        \
	}                                                                                      \
	Test(suite, shapes_of_2_processors)                                                    \
	{                                                                                      \
		check_shapes(1, check);                                                        \
	}                                                                                      \
	Test(suite, shapes_of_64_processors)                                                   \
	{                                                                                      \
		check_shapes(2, check);                                                        \
	}                                                                                      \
	Test(suite, shapes_of_255_processors)                                                  \
	{                                                                                      \
		check_shapes(3, check);                                                        \
	}                                                                                      \
	Test(suite, shapes_of_256_processors)                                                  \
	{                                                                                      \
		check_shapes(4, check);                                                        \
	}                                                                                      \
	Test(suite, shapes_of_2048_processors)                                                 \
	{                                                                                      \
		check_shapes(5, check);                                                        \
	}

#endif
