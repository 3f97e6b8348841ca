/*
 * Measured images in plans.
 * Source: [OVMM] openhcl/underhill_core/src/loader/mod.rs, finalize_load
 */
#include "loaders/boot_measured.h"

#include <inttypes.h>
#include <string.h>

#include "support/checked.h"

/*
 * Images in place.
 */

static bool missing(const char *what, Error *err)
{
	error_set(err, PVW_MEASURED_0016,
		"no %s among the measured images, expected one: the settings start it", what);
	return error_at(err, "settings.firmware");
}

/* What the settings do not say, the measured configuration does; both may, if they agree. */
static bool take_image(
	const char *source, MemoryRange range, uint64_t len, Image *image, Error *err)
{
	if (image->place == IMAGE_ABSENT) {
		*image = (Image){ .place = IMAGE_IN_PLACE, .gpa = range.start, .len = len };
		return true;
	}
	if (image->place == IMAGE_IN_PLACE && image->gpa == range.start)
		return true;
	error_set(err, PVW_MEASURED_0017, "%s, expected the measured one at 0x%" PRIx64,
		image->place == IMAGE_IN_PLACE ? "an image in another place"
					       : "bytes of an image",
		range.start);
	return error_at(err, source);
}

static bool join_lines(Bytes first, Bytes second, Arena *arena, Bytes *out, Error *err)
{
	const bool space = first.len && second.len && first.data[first.len - 1] != ' ';
	uint8_t *text = arena_alloc(arena, first.len + second.len + 1, 1, err);

	if (!text)
		return false;
	if (first.len)
		memcpy(text, first.data, first.len);
	if (space)
		text[first.len] = ' ';
	if (second.len)
		memcpy(text + first.len + space, second.data, second.len);
	*out = (Bytes){ text, first.len + space + second.len };
	return true;
}

static bool take_linux(const BootInputs *in, Arena *arena, LinuxSettings *out, Error *err)
{
	const MeasuredVtl0 *measured = in->measured;

	if (!measured->linux_direct)
		return missing("Linux kernel", err);
	if (!take_image("settings.linux_direct.kernel", measured->kernel,
		    memory_range_len(measured->kernel), &out->kernel, err))
		return false;
	if (!memory_range_is_empty(measured->initrd) &&
		!take_image("settings.linux_direct.initrd", measured->initrd,
			measured->initrd_size, &out->initrd, err))
		return false;
	if (out->kernel_entry == 0)
		out->kernel_entry = measured->entry;
	return join_lines(in->measured_line, out->command_line, arena, &out->command_line, err);
}

bool boot_measured_settings(
	const BootInputs *in, Arena *arena, PlatformSettings *out, Error *err)
{
	const MeasuredVtl0 *measured = in->measured;
	PlatformSettings settings = *in->settings;

	switch (settings.firmware) {
	case BOOT_UEFI:
		if (!measured->uefi)
			return missing("UEFI firmware", err);
		if (!take_image("settings.firmware_image", measured->uefi_image,
			    memory_range_len(measured->uefi_image), &settings.firmware_image,
			    err))
			return false;
		break;
	case BOOT_PCAT:
		if (!measured->pcat)
			return missing("PCAT firmware", err);
		break;
	case BOOT_LINUX:
		if (!take_linux(in, arena, &settings.linux_direct, err))
			return false;
		break;
	case BOOT_NONE:
	case BOOT_IGVM:
	case BOOT_KIND_COUNT:
		break;
	}
	*out = settings;
	return true;
}

/*
 * Wiping.
 */

typedef struct Wipe {
	const char *name;
	MemoryRange range;
} Wipe;

#define WIPES 6

static size_t list_wipes(const BootInputs *in, Wipe out[WIPES])
{
	const MeasuredVtl0 *measured = in->measured;
	const BootKind kind = in->settings->firmware;
	size_t count = 0;

	out[count++] = (Wipe){ "measured.config", measured->config };
	out[count++] = (Wipe){ "measured.vp-context", measured->vp_context };
	out[count++] = (Wipe){ "measured.command-line", measured->command_line };
	if (kind != BOOT_UEFI)
		out[count++] = (Wipe){ "measured.uefi-image", measured->uefi_image };
	if (kind != BOOT_LINUX) {
		out[count++] = (Wipe){ "measured.linux-kernel", measured->kernel };
		out[count++] = (Wipe){ "measured.linux-initrd", measured->initrd };
	}
	return count;
}

/* A plan being made again. */
typedef struct Again {
	const BootInputs *in;
	const BootPlan *plan;
	Arena *arena;
	BootPlanBuilder *builder;
	const Wipe *wipes;
} Again;

static bool add_piece(
	const Again *again, size_t wipe, size_t *count, MemoryRange piece, Error *err)
{
	const char *name = again->wipes[wipe].name;

	(*count)++;
	if (*count > 1)
		name = arena_printf(again->arena, err, "%s.%zu", name, *count);
	if (!name)
		return false;
	boot_plan_place(again->builder, name, piece.start,
		(Bytes){ NULL, (size_t)memory_range_len(piece) });
	return true;
}

/* The plan's writes, then the wipes before this one. */
static MemoryRange taken(const Again *again, size_t index)
{
	const BootPlan *plan = again->plan;
	const Artifact *artifact;

	if (index >= plan->write_count)
		return again->wipes[index - plan->write_count].range;
	artifact = &plan->artifacts.items[plan->writes[index]];
	return (MemoryRange){ artifact->gpa, artifact->gpa + artifact->bytes.len };
}

/* The first address from @from on that nobody has. */
static uint64_t next_free(const Again *again, size_t count, uint64_t from)
{
	for (size_t i = 0; i < count;) {
		const MemoryRange range = taken(again, i);

		if (!memory_range_contains_address(range, from)) {
			i++;
			continue;
		}
		from = align_down(range.end + BOOT_PLAN_ALIGN - 1, BOOT_PLAN_ALIGN);
		i = 0;
	}
	return from;
}

/* Where what begins at @from must end: at somebody's, or with its piece of RAM. */
static uint64_t piece_end(const Again *again, size_t count, uint64_t from, uint64_t to)
{
	const LayoutRecordList ram = again->in->layout->vtl0.ram;

	for (size_t i = 0; i < count; i++) {
		const MemoryRange range = taken(again, i);

		if (range.start > from && range.start < to && range.end > range.start)
			to = range.start;
	}
	for (size_t i = 0; i < ram.count; i++) {
		if (memory_range_contains_address(ram.items[i].range, from) &&
			ram.items[i].range.end < to)
			to = ram.items[i].range.end;
	}
	return to;
}

/*
 *	wipe    [                        )
 *	writes     [   )      [ )
 *	zeros   [ )     [    )   [       )
 */
static bool add_wipe(const Again *again, size_t wipe, Error *err)
{
	const size_t taken_count = again->plan->write_count + wipe;
	const uint64_t end = again->wipes[wipe].range.end;
	uint64_t from = next_free(again, taken_count, again->wipes[wipe].range.start);
	size_t count = 0;

	while (from < end) {
		const uint64_t to = piece_end(again, taken_count, from, end);

		if (!add_piece(again, wipe, &count, (MemoryRange){ from, to }, err))
			return false;
		from = next_free(again, taken_count, to);
	}
	return true;
}

bool boot_measured_wipe(
	const BootInputs *in, const BootPlan *plan, Arena *arena, BootPlan *out, Error *err)
{
	Again again = { .in = in, .plan = plan, .arena = arena };
	Wipe wipes[WIPES];
	const size_t count = list_wipes(in, wipes);

	again.wipes = wipes;
	if (!boot_plan_begin(plan->kind, plan->policy, arena, &again.builder, err))
		return false;
	for (size_t i = 0; i < plan->artifacts.count; i++)
		boot_plan_add(again.builder, plan->artifacts.items[i]);
	for (size_t i = 0; i < plan->registers.count; i++)
		boot_plan_register(again.builder, plan->registers.items[i]);
	for (size_t i = 0; i < count; i++) {
		if (!add_wipe(&again, i, err))
			return false;
	}
	return boot_plan_finish(again.builder, in->layout->vtl0.ram, out, err);
}
