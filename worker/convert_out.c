/*
 * Domain values to protobuf messages.
 */
#include "worker/convert.h"

#include <string.h>

void *message_new(Arena *arena, const ProtobufCMessageDescriptor *descriptor, Error *err)
{
	ProtobufCMessage *message =
		arena_alloc(arena, descriptor->sizeof_message, _Alignof(max_align_t), err);

	if (message)
		descriptor->message_init(message);
	return message;
}

void *message_list(
	Arena *arena, const ProtobufCMessageDescriptor *descriptor, size_t count, Error *err)
{
	ProtobufCMessage **list = arena_array(arena, ProtobufCMessage *, count, err);
	uint8_t *messages;

	if (!list)
		return NULL;
	messages = arena_alloc_array(
		arena, count, descriptor->sizeof_message, _Alignof(max_align_t), err);
	if (!messages)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		list[i] =
			(ProtobufCMessage *)(void *)(messages + i * descriptor->sizeof_message);
		descriptor->message_init(list[i]);
	}
	return list;
}

/* The library's structs are not const, but packing only reads. */
ProtobufCBinaryData convert_bytes_out(Bytes bytes)
{
	return (ProtobufCBinaryData){ bytes.len, (uint8_t *)(uintptr_t)bytes.data };
}

ProtobufCBinaryData convert_digest_out(const Digest *digest)
{
	return convert_bytes_out((Bytes){ digest->bytes, sizeof(digest->bytes) });
}

char *convert_text_out(const char *text)
{
	return (char *)(uintptr_t)text;
}

Pvw__V1__Arch convert_arch_out(GuestArch arch)
{
	return arch == GUEST_ARCH_AARCH64 ? PVW__V1__ARCH__ARCH_AARCH64
					  : PVW__V1__ARCH__ARCH_X86_64;
}

Pvw__V1__Isolation convert_isolation_out(IsolationType isolation)
{
	return (Pvw__V1__Isolation)(PVW__V1__ISOLATION__ISOLATION_NONE + (int)isolation);
}

Pvw__V1__MtrrPolicy convert_mtrr_policy_out(MtrrPolicy policy)
{
	return (Pvw__V1__MtrrPolicy)(PVW__V1__MTRR_POLICY__MTRR_POLICY_EXACT + (int)policy);
}

Pvw__V1__AcpiProfile convert_acpi_profile_out(AcpiProfile profile)
{
	return profile == ACPI_PROFILE_REFERENCE ? PVW__V1__ACPI_PROFILE__ACPI_PROFILE_REFERENCE
						 : PVW__V1__ACPI_PROFILE__ACPI_PROFILE_DEFAULT;
}

static Pvw__V1__Severity severity_out(Severity severity)
{
	return (Pvw__V1__Severity)(PVW__V1__SEVERITY__SEVERITY_NOTE + (int)severity);
}

static void diagnostic_out(const Diagnostic *in, Pvw__V1__Diagnostic *out)
{
	const DiagnosticRow *row = diagnostic_row(in->what.diagnostic);

	out->severity = severity_out(in->severity);
	out->code = convert_text_out(row->name);
	out->text = convert_text_out(in->what.text);
	out->source = convert_text_out(in->what.source);
	out->offset = in->what.offset;
	out->has_offset = in->what.has_offset;
	out->hint = convert_text_out(row->hint);
}

/* The last place tells of all that found none, and of the one that stood there. */
static bool left_out(const Diagnostics *in, Arena *arena, Pvw__V1__Diagnostic *last, Error *err)
{
	const Severity stood = in->items[in->count - 1].severity;
	const DiagnosticRow *row = diagnostic_row(PVW_MSG_0007);
	const char *text =
		arena_printf(arena, err, "%zu findings are not listed", in->dropped + 1);

	if (!text)
		return false;
	pvw__v1__diagnostic__init(last);
	last->severity = severity_out(stood > in->dropped_worst ? stood : in->dropped_worst);
	last->code = convert_text_out(row->name);
	last->text = convert_text_out(text);
	last->hint = convert_text_out(row->hint);
	return true;
}

bool convert_diagnostics_out(const Diagnostics *in, Arena *arena, size_t *count,
	Pvw__V1__Diagnostic ***out, Error *err)
{
	Pvw__V1__Diagnostic **list =
		message_list(arena, &pvw__v1__diagnostic__descriptor, in->count, err);

	if (!list)
		return false;
	for (size_t i = 0; i < in->count; i++)
		diagnostic_out(&in->items[i], list[i]);
	if (in->count && in->dropped && !left_out(in, arena, list[in->count - 1], err))
		return false;
	*count = in->count;
	*out = list;
	return true;
}

bool convert_clamps_out(const SettingsClampList *in, Arena *arena, size_t *count,
	Pvw__V1__Clamp ***out, Error *err)
{
	Pvw__V1__Clamp **list =
		message_list(arena, &pvw__v1__clamp__descriptor, in->count, err);

	if (!list)
		return false;
	for (size_t i = 0; i < in->count; i++) {
		list[i]->field = convert_text_out(in->items[i].field);
		list[i]->asked = convert_text_out(in->items[i].asked);
		list[i]->used = convert_text_out(in->items[i].used);
		list[i]->why = convert_text_out(in->items[i].why);
	}
	*count = in->count;
	*out = list;
	return true;
}

/*
 * Memory.
 */

/* Of a piece of RAM that is VTL2's, by the boot tree's memory type. */
static const Pvw__V1__MemoryRole memory_roles[MEMORY_TYPE_COUNT] = {
	[MEMORY_TYPE_VTL0] = PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL0_RAM,
	[MEMORY_TYPE_VTL2_RAM] = PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_RAM,
	[MEMORY_TYPE_VTL2_CONFIG] = PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_CONFIG,
	[MEMORY_TYPE_VTL2_SIDECAR_IMAGE] = PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_SIDECAR_IMAGE,
	[MEMORY_TYPE_VTL2_SIDECAR_NODE] = PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_SIDECAR_NODE,
	[MEMORY_TYPE_VTL2_RESERVED] = PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_RESERVED,
	[MEMORY_TYPE_VTL2_GPA_POOL] = PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_GPA_POOL,
	[MEMORY_TYPE_VTL2_TDX_PAGE_TABLES] = PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_PAGE_TABLES,
	[MEMORY_TYPE_VTL2_LOG_BUFFER] = PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_LOG,
	[MEMORY_TYPE_VTL2_PERSISTED_HEADER] =
		PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_PERSISTED_STATE,
	[MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF] =
		PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_PERSISTED_STATE,
};

/* What VTL0 sees of its RAM depends on the IGVM type; what is VTL2's, on the memory type. */
static Pvw__V1__MemoryRole memory_role(MemoryType type, uint16_t igvm_type)
{
	if (type != MEMORY_TYPE_VTL0)
		return memory_roles[type];
	switch (igvm_type) {
	case IGVM_PLATFORM_RESERVED:
		return PVW__V1__MEMORY_ROLE__MEMORY_ROLE_PLATFORM_RESERVED;
	case IGVM_PERSISTENT:
		return PVW__V1__MEMORY_ROLE__MEMORY_ROLE_PERSISTENT;
	case IGVM_VTL2_PROTECTABLE:
		return PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_PROTECTABLE;
	default:
		return PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL0_RAM;
	}
}

static void memory_out(
	MemoryRange range, Pvw__V1__MemoryRole role, uint32_t vnode, Pvw__V1__MemoryRange *out)
{
	out->start = range.start;
	out->size = memory_range_len(range);
	out->role = role;
	out->vnode = vnode;
}

static bool map_out(const MapEntryList *map, Arena *arena, size_t *count,
	Pvw__V1__MemoryRange ***out, Error *err)
{
	Pvw__V1__MemoryRange **list =
		message_list(arena, &pvw__v1__memory_range__descriptor, map->count, err);

	if (!list)
		return false;
	for (size_t i = 0; i < map->count; i++)
		memory_out(map->items[i].range,
			memory_role(map->items[i].type, map->items[i].igvm_type),
			map->items[i].vnode, list[i]);
	*count = map->count;
	*out = list;
	return true;
}

/*
 * MMIO.
 */

typedef struct MmioPart {
	MemoryRange range;
	Pvw__V1__MmioRole role;
	const char *owner;
} MmioPart;

/* The chipset's windows, then what has an address of its own inside them. */
static size_t mmio_parts(const Facts *facts, const ChipsetMmioRanges *mmio, MmioPart *parts)
{
	const BootGic *gic = &facts->info.gic;
	size_t n = 0;

	parts[n++] = (MmioPart){ mmio->low, PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL0_CHIPSET_LOW,
		"chipset" };
	parts[n++] = (MmioPart){ mmio->high, PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL0_CHIPSET_HIGH,
		"chipset" };
	for (size_t i = 0; i < mmio->vtl2.count; i++)
		parts[n++] = (MmioPart){ mmio->vtl2.items[i],
			PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL2_VMBUS, "vtl2" };
	for (size_t i = 0; i < mmio->reserved.count; i++)
		parts[n++] = (MmioPart){ mmio->reserved.items[i],
			PVW__V1__MMIO_ROLE__MMIO_ROLE_HOST_RESERVED, "host" };
	if (gic->present) {
		parts[n++] =
			(MmioPart){ { gic->distributor_base,
					    gic->distributor_base + gic->distributor_size },
				PVW__V1__MMIO_ROLE__MMIO_ROLE_GIC_DISTRIBUTOR, "gic" };
		parts[n++] =
			(MmioPart){ { gic->redistributor_base,
					    gic->redistributor_base + gic->redistributor_size },
				PVW__V1__MMIO_ROLE__MMIO_ROLE_GIC_REDISTRIBUTOR, "gic" };
	}
	return n;
}

static bool mmio_out(const Facts *facts, const ChipsetMmioRanges *mmio, Arena *arena,
	size_t *count, Pvw__V1__MmioRange ***out, Error *err)
{
	const size_t most = 4 + mmio->vtl2.count + mmio->reserved.count;
	MmioPart *parts = arena_array(arena, MmioPart, most, err);
	Pvw__V1__MmioRange **list;
	size_t n = 0, part_count;

	if (!parts)
		return false;
	part_count = mmio_parts(facts, mmio, parts);
	list = message_list(arena, &pvw__v1__mmio_range__descriptor, part_count, err);
	if (!list)
		return false;
	for (size_t i = 0; i < part_count; i++) {
		if (memory_range_is_empty(parts[i].range))
			continue;
		list[n]->start = parts[i].range.start;
		list[n]->size = memory_range_len(parts[i].range);
		list[n]->role = parts[i].role;
		list[n]->owner = convert_text_out(parts[i].owner);
		n++;
	}
	*count = n;
	*out = list;
	return true;
}

static void range_out(MemoryRange range, Pvw__V1__AddrRange *out)
{
	out->start = range.start;
	out->size = memory_range_len(range);
}

static bool ranges_out(const MemoryRangeList *in, Arena *arena, size_t *count,
	Pvw__V1__AddrRange ***out, Error *err)
{
	Pvw__V1__AddrRange **list =
		message_list(arena, &pvw__v1__addr_range__descriptor, in->count, err);

	if (!list)
		return false;
	for (size_t i = 0; i < in->count; i++)
		range_out(in->items[i], list[i]);
	*count = in->count;
	*out = list;
	return true;
}

static Pvw__V1__RoleSource role_source_out(RoleSource source)
{
	return (Pvw__V1__RoleSource)(PVW__V1__ROLE_SOURCE__ROLE_SOURCE_NONE + (int)source);
}

static bool chipset_out(
	const ChipsetMmioRanges *mmio, Arena *arena, Pvw__V1__ChipsetMmio **out, Error *err)
{
	Pvw__V1__ChipsetMmio *chipset =
		message_new(arena, &pvw__v1__chipset_mmio__descriptor, err);
	Pvw__V1__AddrRange **windows =
		message_list(arena, &pvw__v1__addr_range__descriptor, 2, err);

	if (!chipset || !windows)
		return false;
	range_out(mmio->low, windows[0]);
	range_out(mmio->high, windows[1]);
	chipset->low = windows[0];
	chipset->high = windows[1];
	chipset->low_source = role_source_out(mmio->low_source);
	chipset->high_source = role_source_out(mmio->high_source);
	if (!ranges_out(&mmio->vtl2, arena, &chipset->n_vtl2, &chipset->vtl2, err) ||
		!ranges_out(
			&mmio->reserved, arena, &chipset->n_reserved, &chipset->reserved, err))
		return false;
	*out = chipset;
	return true;
}

static uint32_t count_nodes(const BootInfo *info)
{
	uint32_t highest = 0;

	for (size_t i = 0; i < info->cpus.count; i++) {
		if (info->cpus.items[i].vnode > highest)
			highest = info->cpus.items[i].vnode;
	}
	for (size_t i = 0; i < info->map.count; i++) {
		if (info->map.items[i].vnode > highest)
			highest = info->map.items[i].vnode;
	}
	return highest == UINT32_MAX ? highest : highest + 1;
}

bool convert_boot_summary_out(
	const Facts *facts, Arena *arena, Pvw__V1__BootSummary **out, Error *err)
{
	Pvw__V1__BootSummary *summary =
		message_new(arena, &pvw__v1__boot_summary__descriptor, err);
	Digest *digest = arena_array(arena, Digest, 1, err);

	if (!summary || !digest)
		return false;
	*digest = digest_of(facts->inputs.boot_tree);
	summary->arch = convert_arch_out(facts->info.arch);
	summary->isolation = convert_isolation_out(facts->info.isolation);
	summary->vp_count = (uint32_t)facts->topology.count;
	summary->vnode_count = count_nodes(&facts->info);
	for (size_t i = 0; i < facts->info.map.count; i++)
		summary->ram_bytes += memory_range_len(facts->info.map.items[i].range);
	summary->boot_info_sha256 = convert_digest_out(digest);
	if (!map_out(&facts->info.map, arena, &summary->n_memory, &summary->memory, err) ||
		!mmio_out(facts, &facts->mmio, arena, &summary->n_mmio, &summary->mmio, err) ||
		!chipset_out(&facts->mmio, arena, &summary->chipset, err))
		return false;
	*out = summary;
	return true;
}

/*
 * Layout.
 */

static bool guest_memory_out(const MemoryLayout *layout, Arena *arena, size_t *count,
	Pvw__V1__MemoryRange ***out, Error *err)
{
	Pvw__V1__MemoryRange **list =
		message_list(arena, &pvw__v1__memory_range__descriptor, layout->ram.count, err);

	if (!list)
		return false;
	for (size_t i = 0; i < layout->ram.count; i++) {
		const LayoutRecord *ram = &layout->ram.items[i];

		memory_out(ram->range, memory_role(MEMORY_TYPE_VTL0, ram->igvm_type),
			ram->vnode, list[i]);
	}
	*count = layout->ram.count;
	*out = list;
	return true;
}

static void placement_out(Pvw__V1__Placement *out, const char *name, uint64_t start,
	uint64_t size, const char *artifact, const char *source)
{
	out->name = convert_text_out(name);
	out->start = start;
	out->size = size;
	out->artifact = convert_text_out(artifact);
	out->source = convert_text_out(source);
}

static const char *channel_source(const ChannelClaim *claim, Arena *arena, Error *err)
{
	char instance[GUID_TEXT_SIZE];

	guid_format(claim->instance_id, instance);
	return arena_printf(arena, err, "channel:%s", instance);
}

/* Artifacts in the order of the plan, channel claims, the relay's aperture, the shared pool. */
static bool placements_out(const Config *config, const Prepared *prepared, bool with_source,
	Arena *arena, Pvw__V1__Layout *layout, Error *err)
{
	const BootPlan *plan = &prepared->plan;
	const NodeRangeList pool = prepared->layout.shared_pool;
	const size_t most = plan->write_count + config->channels.count + 1 + pool.count;
	Pvw__V1__Placement **list =
		message_list(arena, &pvw__v1__placement__descriptor, most, err);
	size_t n = 0;

	if (!list)
		return false;
	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = &plan->artifacts.items[plan->writes[i]];

		placement_out(list[n++], artifact->name, artifact->gpa, artifact->bytes.len,
			artifact->name, with_source ? "plan" : "");
	}
	for (size_t i = 0; i < config->channels.count; i++) {
		const ChannelClaim *claim = &config->channels.items[i];
		const char *source = channel_source(claim, arena, err);

		if (!source)
			return false;
		placement_out(list[n++], "channel", claim->range.start,
			memory_range_len(claim->range), "", source);
	}
	if (!memory_range_is_empty(config->relay))
		placement_out(list[n++], "relay-aperture", config->relay.start,
			memory_range_len(config->relay), "", with_source ? "settings" : "");
	for (size_t i = 0; i < pool.count; i++)
		placement_out(list[n++], "shared-pool", pool.items[i].range.start,
			memory_range_len(pool.items[i].range), "",
			with_source ? "isolation" : "");
	layout->n_placements = n;
	layout->placements = list;
	return true;
}

/* The layout itself: what is to be the same whenever this guest is prepared again. */
static bool records_out(
	const MemoryLayout *vtl0, Arena *arena, Pvw__V1__Layout *layout, Error *err)
{
	const LayoutRecordList records = vtl0->records;

	layout->records =
		message_list(arena, &pvw__v1__layout_record__descriptor, records.count, err);
	if (!layout->records)
		return false;
	layout->n_records = records.count;
	for (size_t i = 0; i < records.count; i++) {
		const LayoutRecord *record = &records.items[i];
		Pvw__V1__LayoutRecord *out = layout->records[i];

		out->kind = convert_text_out(layout_kind_name(record->kind));
		out->tag = convert_text_out(record->tag);
		out->start = record->range.start;
		out->size = memory_range_len(record->range);
		out->vnode = record->vnode;
		out->igvm_type = record->igvm_type;
	}
	return true;
}

bool convert_layout_out(const Facts *facts, const Config *config, const Prepared *prepared,
	bool with_source, Arena *arena, Pvw__V1__Layout **out, Error *err)
{
	const MemoryLayout *vtl0 = &prepared->layout.vtl0;
	Pvw__V1__Layout *layout = message_new(arena, &pvw__v1__layout__descriptor, err);

	if (!layout ||
		!guest_memory_out(vtl0, arena, &layout->n_memory, &layout->memory, err) ||
		!mmio_out(facts, &config->mmio, arena, &layout->n_mmio, &layout->mmio, err) ||
		!placements_out(config, prepared, with_source, arena, layout, err) ||
		!records_out(vtl0, arena, layout, err) ||
		!chipset_out(&config->mmio, arena, &layout->chipset, err))
		return false;
	layout->end_of_ram = vtl0->end_of_ram;
	layout->end_of_layout = vtl0->end_of_layout;
	layout->physical_address_bits = facts->inputs.physical_address_bits;
	layout->layout_version = prepared->plan.policy.layout_version;
	*out = layout;
	return true;
}

/*
 * Plan.
 */

void convert_artifact_out(const BootPlan *plan, size_t index, Pvw__V1__Artifact *out)
{
	const Artifact *artifact = &plan->artifacts.items[index];

	out->name = convert_text_out(artifact->name);
	out->size = artifact->bytes.len;
	out->sha256 = convert_digest_out(&plan->digests[index]);
	out->media_type = convert_text_out(artifact->media_type);
	out->sensitive = artifact->sensitive;
	out->gpa = artifact->placed ? artifact->gpa : 0;
	out->placed = artifact->placed;
}

bool convert_artifacts_out(
	const BootPlan *plan, Arena *arena, size_t *count, Pvw__V1__Artifact ***out, Error *err)
{
	Pvw__V1__Artifact **list =
		message_list(arena, &pvw__v1__artifact__descriptor, plan->artifacts.count, err);

	if (!list)
		return false;
	for (size_t i = 0; i < plan->artifacts.count; i++)
		convert_artifact_out(plan, i, list[i]);
	*count = plan->artifacts.count;
	*out = list;
	return true;
}

static bool writes_out(
	const BootPlan *plan, Arena *arena, Pvw__V1__PlanResponse *out, Error *err)
{
	out->writes = message_list(
		arena, &pvw__v1__planned_write__descriptor, plan->write_count, err);
	if (!out->writes)
		return false;
	out->n_writes = plan->write_count;
	for (size_t i = 0; i < plan->write_count; i++) {
		const size_t index = plan->writes[i];
		const Artifact *artifact = &plan->artifacts.items[index];

		out->writes[i]->gpa = artifact->gpa;
		out->writes[i]->size = artifact->bytes.len;
		out->writes[i]->artifact = convert_text_out(artifact->name);
		out->writes[i]->sha256 = convert_digest_out(&plan->digests[index]);
		out->writes[i]->measured = artifact->measured;
	}
	return true;
}

bool convert_register_set_out(
	const RegisterSet *in, Arena *arena, Pvw__V1__RegisterSet *out, Error *err)
{
	out->registers =
		message_list(arena, &pvw__v1__register__descriptor, in->registers.count, err);
	if (!out->registers)
		return false;
	out->n_registers = in->registers.count;
	out->scope = (Pvw__V1__VpScope)in->scope;
	for (size_t i = 0; i < in->registers.count; i++) {
		const Register *value = &in->registers.items[i];
		const RegisterRow *row = register_row(value->id);

		out->registers[i]->id = row->hypervisor;
		out->registers[i]->name = convert_text_out(row->name);
		out->registers[i]->low = value->low;
		out->registers[i]->high = value->high;
	}
	return true;
}

static bool registers_out(
	const BootPlan *plan, Arena *arena, Pvw__V1__PlanResponse *out, Error *err)
{
	out->registers = message_list(
		arena, &pvw__v1__register_set__descriptor, plan->register_sets.count, err);
	if (!out->registers)
		return false;
	out->n_registers = plan->register_sets.count;
	for (size_t i = 0; i < plan->register_sets.count; i++) {
		if (!convert_register_set_out(
			    &plan->register_sets.items[i], arena, out->registers[i], err))
			return false;
	}
	return true;
}

bool convert_plan_out(
	const BootPlan *plan, Arena *arena, Pvw__V1__PlanResponse *out, Error *err)
{
	out->plan_digest = convert_digest_out(&plan->digest);
	out->mtrr = convert_mtrr_policy_out(plan->policy.mtrr);
	out->acpi = convert_acpi_profile_out(plan->policy.acpi);
	return convert_artifacts_out(plan, arena, &out->n_artifacts, &out->artifacts, err) &&
		writes_out(plan, arena, out, err) && registers_out(plan, arena, out, err);
}
