/*
 * What a host may ask of an isolated guest.
 *
 * The host of such a guest is hostile. Each setting has one policy, one row of one table; what
 * the host may not decide is refused, replaced or left out, and the guest's owner is told. Guests
 * that are not isolated get what was asked.
 * Source: [OVMM] openhcl/underhill_core/src/worker.rs, validate_isolated_configuration
 */
#ifndef BOOTINFO_SETTINGS_POLICY_H
#define BOOTINFO_SETTINGS_POLICY_H

#include "bootinfo/boot_info.h"
#include "bootinfo/platform_settings.h"
#include "support/arena.h"

typedef enum SettingPolicy {
	SETTING_ATTESTED, /* obeyed: what it leads to is in the guest's measurement or report */
	SETTING_CLAMP,    /* a value that weakens the guest is replaced */
	SETTING_REFUSE,   /* a value that weakens the guest ends the configuration */
	SETTING_IGNORE,   /* left out, whatever it says */
	SETTING_HARMLESS, /* obeyed: a host gains nothing by it */
	SETTING_POLICY_COUNT
} SettingPolicy;

/* How a value is stored, and written in text. */
typedef enum SettingKind {
	SETTING_KIND_BOOL,
	SETTING_KIND_UINT,  /* uint8_t to uint64_t */
	SETTING_KIND_ENUM,  /* named by the row */
	SETTING_KIND_BYTES, /* only its length is ever written */
	SETTING_KIND_GUID,
	SETTING_KIND_OPAQUE, /* 16 bytes that are set or zero */
	SETTING_KIND_IMAGE,
	SETTING_KIND_BOOT_ORDER,
	SETTING_KIND_TABLES,
	SETTING_KIND_COUNT
} SettingKind;

typedef struct SettingRow SettingRow;

/* One field of the settings message. */
struct SettingRow {
	const char *path; /* as in the message: "uefi.secure_boot", stable */
	SettingPolicy policy;
	SettingKind kind;
	uint16_t offset, size;    /* of the field in PlatformSettings, bytes */
	const char *const *names; /* ENUM: names of its values */
	unsigned name_count;
	const char *help;          /* what it does */
	const char *default_text;  /* what an absent one means */
	const char *when_isolated; /* what is expected or done, and why; "" if it is obeyed */
	/* CLAMP, REFUSE, IGNORE: is this the value that is not obeyed? */
	bool (*is_bad)(const SettingRow *row, const PlatformSettings *settings);
	/* CLAMP, IGNORE: what is used in its place */
	void (*replace)(PlatformSettings *settings);
};

typedef struct SettingRowList {
	const SettingRow *items;
	size_t count;
} SettingRowList;

/* What isolation changed. */
typedef struct SettingsClamp {
	const char *field; /* the row's path */
	const char *asked, *used;
	const char *why;
} SettingsClamp;

typedef struct SettingsClampList {
	const SettingsClamp *items;
	size_t count;
} SettingsClampList;

/** settings_policy_rows - the table, in the order of the message; static */
SettingRowList settings_policy_rows(void);

/** settings_policy_find - the row of a path, with or without "settings." before it; or NULL */
const SettingRow *settings_policy_find(const char *path);

/** settings_policy_name - "attested", "clamp", "refuse", "ignore", "harmless" */
const char *settings_policy_name(SettingPolicy policy);

/** settings_policy_value - a setting's value as text in @arena; never contents, only lengths */
MUST_CHECK const char *settings_policy_value(
	const SettingRow *row, const PlatformSettings *settings, Arena *arena, Error *err);

/**
 * settings_apply_policy - the settings that this guest is started with
 * @out:    @in, with what isolation replaces; borrows what @in borrows
 * @clamps: each replacement, in the order of the table; in @arena
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_SETTINGS_0001 (DENIED) for the first refused one, source "settings.<path>".
 */
MUST_CHECK bool settings_apply_policy(const PlatformSettings *in, IsolationType isolation,
	Arena *arena, PlatformSettings *out, SettingsClampList *clamps, Error *err);

#endif
