/*
 * Arguments of calls: what the lint lets through, protobuf-c unpacks, and packs again to something
 * that the lint lets through. The first byte chooses the method.
 */
#include "fuzz/fuzz.h"
#include "proto/method.h"
#include "proto/wire_lint.h"
#include "worker/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const MethodTable *table = service_methods();
	const ProtobufCMessageDescriptor *type;
	ProtobufCMessage *message;
	Bytes bytes, again;
	uint8_t *packed;
	Error err = { 0 };

	if (size == 0)
		return 0;
	type = table->service->methods[data[0] % table->count].input;
	bytes = (Bytes){ data + 1, size - 1 };
	if (!wire_lint(bytes, type, table->limits, &err)) {
		fuzz_failed(&err);
		return 0;
	}
	message = protobuf_c_message_unpack(type, NULL, bytes.len, bytes.data);
	FUZZ_ASSERT(message);
	again.len = protobuf_c_message_get_packed_size(message);
	packed = malloc(again.len + 1);
	FUZZ_ASSERT(packed);
	FUZZ_ASSERT(protobuf_c_message_pack(message, packed) == again.len);
	again.data = packed;
	FUZZ_ASSERT(wire_lint(again, type, table->limits, &err));
	free(packed);
	protobuf_c_message_free_unpacked(message, NULL);
	return 0;
}
