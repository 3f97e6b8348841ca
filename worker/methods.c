/*
 * Every method: how large a request may be, in which states it may be called and by whom.
 */
#include "worker/service_internal.h"

#define IN(state) (1u << SESSION_##state)
#define ANY (IN(EMPTY) | IN(BOOT_INFO) | IN(CONFIGURED) | IN(PLANNED) | IN(LOADED) | IN(FAILED))
#define NOT_FAILED (ANY & ~IN(FAILED))
#define UP_TO_PLANNED (IN(EMPTY) | IN(BOOT_INFO) | IN(CONFIGURED) | IN(PLANNED))
#define FROM_PLANNED (IN(PLANNED) | IN(LOADED))
#define ALIVE (ANY | IN(STOPPING))
#define DRIVES SERVICE_DRIVES

#define KIB 1024

/* In the order of the .proto. */
static const Method rows[] = {
	{ "Hello", 4 * KIB, NOT_FAILED },
	{ "LoadBootInfo", BOOT_INFO_MAX_DTB + 256 * KIB, UP_TO_PLANNED | DRIVES },
	{ "PutBlob", SERVICE_MAX_CHUNK + 4 * KIB, UP_TO_PLANNED | DRIVES },
	{ "Configure", 1024 * KIB, IN(BOOT_INFO) | IN(CONFIGURED) | IN(PLANNED) | DRIVES },
	{ "Plan", 4 * KIB, IN(CONFIGURED) | IN(PLANNED) | DRIVES },
	{ "Load", 64 * KIB, FROM_PLANNED | DRIVES },
	{ "Reset", 4 * KIB, ANY | DRIVES },
	{ "GetLayout", 4 * KIB, FROM_PLANNED },
	{ "ListArtifacts", 4 * KIB, FROM_PLANNED },
	{ "GetArtifact", 4 * KIB, FROM_PLANNED },
	{ "GetClaims", 4 * KIB, NOT_FAILED },
	{ "HandleIntercepts", INTERCEPT_MAX_ITEMS *INTERCEPT_MAX_BYTES + 16 * KIB,
		NOT_FAILED | DRIVES },
	{ "PollEvents", 4 * KIB, ALIVE },
	{ "Save", 4 * KIB, NOT_FAILED | DRIVES },
	{ "Restore", SERVICE_MAX_CHUNK + 4 * KIB, NOT_FAILED | DRIVES },
	{ "Health", 4 * KIB, ALIVE },
	{ "Metrics", 4 * KIB, ALIVE },
	{ "SetLogFilter", 4 * KIB, NOT_FAILED },
	{ "Shutdown", 4 * KIB, ALIVE },
};

/* Lists in requests; the numbers are field numbers of the .proto. */
static const WireLimit limits[] = {
	{ &pvw__v1__hello_request__descriptor, 5, 32 },                      /* want_features */
	{ &pvw__v1__load_boot_info_request__descriptor, 7, 8 },              /* acpi */
	{ &pvw__v1__host_caps__descriptor, 6, BOOT_INFO_MAX_CPUS },          /* vps */
	{ &pvw__v1__device_platform_settings__descriptor, 8, 32 },           /* acpi_tables */
	{ &pvw__v1__pcat_settings__descriptor, 1, PCAT_BOOT_DEVICE_COUNT },  /* boot_order */
	{ &pvw__v1__configure_request__descriptor, 3, CHANNEL_MAX_DEMANDS }, /* channels */
	{ &pvw__v1__target__descriptor, 3, GUEST_MEMORY_MAX_WINDOWS },       /* windows */
	{ &pvw__v1__handle_intercepts_request__descriptor, 1, INTERCEPT_MAX_ITEMS }, /* items */
};

static_assert(ARRAY_COUNT(rows) == SERVICE_METHODS, "one row a method");

const MethodTable *service_methods(void)
{
	static const MethodTable table = {
		.service = &pvw__v1__worker__descriptor,
		.rows = rows,
		.count = ARRAY_COUNT(rows),
		.limits = { limits, ARRAY_COUNT(limits) },
	};

	return &table;
}
