/*
 * Domain values to and from protobuf messages.
 *
 * Requests are taken after the wire lint: strings are UTF-8 without NUL, enums are known, counts
 * are under their limits. What is left to judge are the values. Results borrow from the request.
 * Answers are built in the arena of the call and borrow from the session.
 */
#ifndef WORKER_CONVERT_H
#define WORKER_CONVERT_H

#include "proto/worker.pb-c.h"
#include "worker/prepare.h"

/* A blob that settings may name. */
typedef struct NamedBytes {
	const char *name;
	Bytes bytes;
} NamedBytes;

typedef struct NamedBytesList {
	const NamedBytes *items;
	size_t count;
} NamedBytesList;

/*
 * Requests. A bad value is PVW_RPC_… or PVW_SETTINGS_… with source "settings.uefi.console" or
 * "host_caps.physical_address_bits".
 */

MUST_CHECK bool convert_settings(const Pvw__V1__DevicePlatformSettings *in,
	NamedBytesList blobs, Arena *arena, PlatformSettings *out, Error *err);

/** convert_fact_inputs - borrows from @in */
MUST_CHECK bool convert_fact_inputs(
	const Pvw__V1__LoadBootInfoRequest *in, Arena *arena, FactInputs *out, Error *err);

MUST_CHECK bool convert_config_inputs(const Pvw__V1__ConfigureRequest *in, NamedBytesList blobs,
	Arena *arena, ConfigInputs *out, Error *err);

/** convert_plan_request - everything but the entropy */
PlanRequest convert_plan_request(const Pvw__V1__PlanRequest *in);

/** convert_isolation - false for UNSPECIFIED */
bool convert_isolation(Pvw__V1__Isolation in, IsolationType *out);

/** convert_guid - PVW_MSG_0001 unless there are exactly 16 bytes; absent is all zero */
MUST_CHECK bool convert_guid(const Pvw__V1__Guid *in, const char *field, Guid *out, Error *err);

/*
 * Answers.
 */

Pvw__V1__Arch convert_arch_out(GuestArch arch);
Pvw__V1__Isolation convert_isolation_out(IsolationType isolation);
Pvw__V1__MtrrPolicy convert_mtrr_policy_out(MtrrPolicy policy);
Pvw__V1__AcpiProfile convert_acpi_profile_out(AcpiProfile profile);
ProtobufCBinaryData convert_bytes_out(Bytes bytes);
ProtobufCBinaryData convert_digest_out(const Digest *digest);
/** convert_text_out - a message's string field; the library never writes to it */
char *convert_text_out(const char *text);

/** message_new - an initialised message; NULL with @err set when the arena is exhausted */
MUST_CHECK void *message_new(
	Arena *arena, const ProtobufCMessageDescriptor *descriptor, Error *err);

/** message_list - @count initialised messages behind an array of pointers */
MUST_CHECK void *message_list(
	Arena *arena, const ProtobufCMessageDescriptor *descriptor, size_t count, Error *err);

/** convert_diagnostics_out - when some were dropped, the last one says how many (PVW_MSG_0007) */
MUST_CHECK bool convert_diagnostics_out(const Diagnostics *in, Arena *arena, size_t *count,
	Pvw__V1__Diagnostic ***out, Error *err);

MUST_CHECK bool convert_clamps_out(const SettingsClampList *in, Arena *arena, size_t *count,
	Pvw__V1__Clamp ***out, Error *err);

MUST_CHECK bool convert_boot_summary_out(
	const Facts *facts, Arena *arena, Pvw__V1__BootSummary **out, Error *err);

MUST_CHECK bool convert_layout_out(const Facts *facts, const Config *config,
	const Prepared *prepared, bool with_source, Arena *arena, Pvw__V1__Layout **out,
	Error *err);

MUST_CHECK bool convert_register_set_out(
	const RegisterSet *in, Arena *arena, Pvw__V1__RegisterSet *out, Error *err);

/** convert_artifact_out - what is known about the artifact of that index */
void convert_artifact_out(const BootPlan *plan, size_t index, Pvw__V1__Artifact *out);

MUST_CHECK bool convert_artifacts_out(const BootPlan *plan, Arena *arena, size_t *count,
	Pvw__V1__Artifact ***out, Error *err);

MUST_CHECK bool convert_plan_out(
	const BootPlan *plan, Arena *arena, Pvw__V1__PlanResponse *out, Error *err);

#endif
