/*
 * What a boot was made of, as files.
 */
#include "agent/boot_keep.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/folder.h"
#include "host/message_json.h"
#include "support/diagnostics.h"

#define PLAN_SCHEMA "pvw.plan/1"
#define LAYOUT_SCHEMA "pvw.guest-layout/1"

/* Kernels and initrds stand in files already. */
#define ARTIFACT_MAX ((uint64_t)512 * 1024)

static Bytes text_bytes(const char *text)
{
	return (Bytes){ (const uint8_t *)text, strlen(text) };
}

static bool write_message(const char *folder, const char *name, const char *schema,
	const ProtobufCMessage *message, Arena *arena, Error *err)
{
	json_t *document, *named;
	char *text = NULL;
	bool written;

	if (!message_to_json(message, arena, &document, err))
		return false;
	named = json_pack("{s:s}", "schema", schema);
	if (named && json_object_update(named, document) == 0)
		text = json_dumps(named, JSON_INDENT(2));
	json_decref(document);
	json_decref(named);
	if (!text)
		return error_set(err, PVW_MEM_0001, "no memory for %s", name);
	written = folder_write(folder, name, text_bytes(text), err);
	free(text);
	return written;
}

static bool write_artifact(
	const char *folder, const Drive *drive, const Pvw__V1__PlannedWrite *write, Error *err)
{
	char name[128];
	uint8_t *bytes;

	if (write->size > ARTIFACT_MAX)
		return true;
	bytes = arena_alloc(drive->arena, (size_t)write->size, 1, err);
	if (!bytes ||
		!machine_read(drive->machine, write->artifact, write->gpa, bytes,
			(size_t)write->size, err))
		return false;
	snprintf(name, sizeof(name), "%.120s.bin", write->artifact);
	return folder_write(folder, name, (Bytes){ bytes, (size_t)write->size }, err);
}

static bool write_command(
	const char *folder, const char *const *command, Arena *arena, Error *err)
{
	size_t len = 0, at = 0;
	char *text;

	for (size_t i = 0; command[i]; i++)
		len += strlen(command[i]) + 1;
	text = arena_alloc(arena, len, 1, err);
	if (!text)
		return false;
	for (size_t i = 0; command[i]; i++) {
		const size_t part = strlen(command[i]);

		memcpy(text + at, command[i], part);
		text[at + part] = '\n';
		at += part + 1;
	}
	return folder_write(folder, "qemu.args", (Bytes){ (const uint8_t *)text, len }, err);
}

bool boot_keep_write(const char *folder, const BootGuest *guest, const Drive *drive,
	const char *const *command, Error *err)
{
	if (!folder_write(folder, "vm.json", text_bytes(guest->description), err) ||
		!folder_write(folder, "boot.dtb", guest->fixture.boot_tree, err) ||
		!write_message(folder, "plan.json", PLAN_SCHEMA, &drive->plan->base,
			drive->arena, err) ||
		!write_message(folder, "layout.json", LAYOUT_SCHEMA, &drive->layout->base,
			drive->arena, err) ||
		!write_command(folder, command, drive->arena, err))
		return false;
	for (size_t i = 0; i < drive->plan->n_writes; i++) {
		if (!write_artifact(folder, drive, drive->plan->writes[i], err))
			return false;
	}
	return true;
}
