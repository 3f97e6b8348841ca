/*
 * Every method: how large a request may be and in which states it may be called.
 */
#include "worker/service_internal.h"

#define IN(state) (1u << SESSION_##state)
#define ANY (IN(EMPTY) | IN(BOOT_INFO) | IN(CONFIGURED) | IN(PLANNED) | IN(LOADED) | IN(FAILED))
#define UP_TO_PLANNED (IN(EMPTY) | IN(BOOT_INFO) | IN(CONFIGURED) | IN(PLANNED))
#define FROM_PLANNED (IN(PLANNED) | IN(LOADED))
#define ALIVE (ANY | IN(STOPPING))

#define KIB 1024

/* In the order of the .proto. */
static const Method rows[] = {
	{ "Hello", 4 * KIB, ANY & ~IN(FAILED) },
	{ "LoadBootInfo", BOOT_INFO_MAX_DTB + 256 * KIB, UP_TO_PLANNED },
	{ "PutBlob", SERVICE_MAX_CHUNK + 4 * KIB, UP_TO_PLANNED },
	{ "Configure", 1024 * KIB, IN(BOOT_INFO) | IN(CONFIGURED) | IN(PLANNED) },
	{ "Plan", 4 * KIB, IN(CONFIGURED) | IN(PLANNED) },
	{ "Load", 64 * KIB, FROM_PLANNED },
	{ "Reset", 4 * KIB, ANY },
	{ "GetLayout", 4 * KIB, FROM_PLANNED },
	{ "ListArtifacts", 4 * KIB, FROM_PLANNED },
	{ "GetArtifact", 4 * KIB, FROM_PLANNED },
	{ "GetClaims", 4 * KIB, ANY & ~IN(FAILED) },
	{ "HandleIntercepts", 64 * 4096 + 16 * KIB, ANY & ~IN(FAILED) },
	{ "PollEvents", 4 * KIB, ALIVE },
	{ "Save", 4 * KIB, ANY & ~IN(FAILED) },
	{ "Restore", SERVICE_MAX_CHUNK + 4 * KIB, ANY & ~IN(FAILED) },
	{ "Health", 4 * KIB, ALIVE },
	{ "Metrics", 4 * KIB, ALIVE },
	{ "SetLogFilter", 4 * KIB, ANY & ~IN(FAILED) },
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
	{ &pvw__v1__handle_intercepts_request__descriptor, 1, 64 },          /* items */
};

static_assert(ARRAY_COUNT(rows) == SERVICE_METHODS, "one row a method");

/* The driver's: what changes the guest or ends the worker. */
static const bool changes_state[SERVICE_METHODS] = {
	[1] = true,  /* LoadBootInfo */
	[2] = true,  /* PutBlob */
	[3] = true,  /* Configure */
	[4] = true,  /* Plan */
	[5] = true,  /* Load */
	[6] = true,  /* Reset */
	[11] = true, /* HandleIntercepts */
	[13] = true, /* Save */
	[14] = true, /* Restore */
};

bool service_changes_state(size_t method)
{
	return method < SERVICE_METHODS && changes_state[method];
}

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
