/*
 * Measured pages, read one by one.
 * Source: [OVMM] openhcl/underhill_core/src/loader/vtl0_config.rs, src/vtl2_config/mod.rs
 */
#include "worker/measured.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "support/diagnostics.h"

static bool read_page(int fd, uint64_t gpa, Arena *arena, Bytes *out, Error *err)
{
	const GuestWindow window = { gpa, PAGE_SIZE, gpa };
	const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	uint8_t *data = arena_alloc(arena, PAGE_SIZE, 8, err);
	GuestMemory *memory = NULL;
	bool ok;

	if (own < 0)
		return error_set(err, PVW_WORKER_0001, "guest memory: %s", strerror(errno));
	ok = guest_memory_new(own, &window, 1, &memory, err) && data &&
		guest_memory_read(memory, gpa, data, PAGE_SIZE, err);
	guest_memory_free(memory);
	if (ok)
		*out = (Bytes){ data, PAGE_SIZE };
	return ok;
}

static bool is_in_vtl0(const BootInfo *info, uint64_t gpa)
{
	for (size_t i = 0; i < info->map.count; i++) {
		if (info->map.items[i].type == MEMORY_TYPE_VTL0 &&
			memory_range_contains_address(info->map.items[i].range, gpa))
			return true;
	}
	return false;
}

static bool begins_with_zeros(Bytes page)
{
	static const uint8_t zeros[8];

	return memcmp(page.data, zeros, sizeof(zeros)) == 0;
}

/* A worker that starts again finds what the first one wiped. */
static bool read_vtl0(
	int fd, const BootInfo *info, Arena *arena, MeasuredPages *out, Error *err)
{
	const uint64_t gpa = measured_config_gpa(info->arch);
	MeasuredVtl0 measured = { 0 };
	Bytes config = { 0 };

	if (!is_in_vtl0(info, gpa))
		return true;
	if (!read_page(fd, gpa, arena, &config, err))
		return false;
	if (begins_with_zeros(config))
		return true;
	if (!measured_vtl0_parse(config, info->arch, &measured, err) ||
		!measured_vtl0_check(&measured, info->map, arena, err))
		return false;
	out->config = config;
	return (memory_range_is_empty(measured.vp_context) ||
		       read_page(
			       fd, measured.vp_context.start, arena, &out->vp_context, err)) &&
		(memory_range_is_empty(measured.command_line) ||
			read_page(fd, measured.command_line.start, arena, &out->command_line,
				err));
}

static bool read_vtl2(int fd, const BootInfo *info, uint64_t parameters, Arena *arena,
	MeasuredPages *out, Error *err)
{
	const uint64_t gpa = parameters + MEASURED_VTL2_PAGE * PAGE_SIZE;
	Bytes page = { 0 };

	for (size_t i = 0; i < info->config.count; i++) {
		if (!memory_range_contains_address(info->config.items[i], gpa))
			continue;
		if (!read_page(fd, gpa, arena, &page, err))
			return false;
		if (!begins_with_zeros(page))
			out->vtl2 = page;
	}
	return true;
}

bool measured_read(int fd, const BootInfo *info, uint64_t parameters, Arena *arena,
	MeasuredPages *out, Error *err)
{
	MeasuredPages pages = { 0 };

	if (!read_vtl0(fd, info, arena, &pages, err) ||
		!read_vtl2(fd, info, parameters, arena, &pages, err))
		return false;
	*out = pages;
	return true;
}
