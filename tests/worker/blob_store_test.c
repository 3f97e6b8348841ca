/*
 * Blobs: chunks in order, bounded, checked.
 */
#include "worker/blob_store.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "support/diagnostics.h"

static BlobStore store;
static Error err;
static uint64_t received;

static void teardown(void)
{
	blob_store_clear(&store);
}

TestSuite(blob_store, .fini = teardown);

static bool put(const char *name, uint64_t total, uint64_t offset, const char *text)
{
	const BlobChunk chunk = {
		.name = name,
		.total = total,
		.offset = offset,
		.data = { (const uint8_t *)text, strlen(text) },
	};

	return blob_store_put(&store, &chunk, &received, &err);
}

static void expect(DiagnosticId diagnostic, const char *word)
{
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
}

Test(blob_store, joins_chunks_in_order)
{
	const Blob *blob;

	cr_assert(put("kernel", 6, 0, "pvw"));
	cr_assert_eq(received, 3);
	cr_assert(put("kernel", 6, 3, "!!!"));
	cr_assert_eq(received, 6);

	blob = blob_store_find(&store, "kernel");
	cr_assert_not_null(blob);
	cr_assert(blob->complete);
	cr_assert_arr_eq(blob->bytes.data, "pvw!!!", 6);
	cr_assert_null(blob_store_find(&store, "kern"));
}

Test(blob_store, keeps_blobs_apart)
{
	cr_assert(put("a", 2, 0, "1") && put("b", 2, 0, "3") && put("a", 2, 1, "2") &&
		put("b", 2, 1, "4"));
	cr_assert_arr_eq(blob_store_find(&store, "a")->bytes.data, "12", 2);
	cr_assert_arr_eq(blob_store_find(&store, "b")->bytes.data, "34", 2);
}

Test(blob_store, begins_anew_at_offset_zero)
{
	cr_assert(put("a", 4, 0, "full") && put("a", 2, 0, "x"));
	cr_assert_eq(received, 1);
	cr_assert_eq(blob_store_find(&store, "a")->total, 2);
	cr_assert_eq(store.count, 1);
}

Test(blob_store, takes_a_blob_of_nothing)
{
	cr_assert(put("empty", 0, 0, ""));
	cr_assert_eq(received, 0);
	cr_assert_not_null(blob_store_find(&store, "empty")->bytes.data);
}

Test(blob_store, refuses_chunks_out_of_order)
{
	const struct {
		uint64_t total, offset;
		const char *text;
	} bad[] = {
		{ 8, 1, "x" },          /* a hole before it */
		{ 8, 3, "x" },          /* again */
		{ 9, 2, "x" },          /* another total */
		{ 8, 2, "too long" },   /* beyond the end */
		{ 3, 0, "long" },       /* from the start */
		{ 8, UINT64_MAX, "x" }, /* wraps */
	};

	cr_assert(put("a", 8, 0, "ok"));
	received = 77;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		cr_assert_not(put("a", bad[i].total, bad[i].offset, bad[i].text), "%zu", i);
		expect(PVW_BLOB_0002, "\"a\"");
		cr_assert_eq(received, 77);
		cr_assert_eq(blob_store_find(&store, "a")->received, 2);
	}
	cr_assert_not(put("new", 8, 4, "x"));
	expect(PVW_BLOB_0002, "expected 0");
	cr_assert_eq(store.count, 1);
}

Test(blob_store, takes_printable_names_of_1_to_63_bytes)
{
	char name[65];

	memset(name, 'n', sizeof(name));
	name[64] = '\0';
	cr_assert_not(put(name, 1, 0, "x"));
	expect(PVW_BLOB_0001, "64 bytes");
	name[63] = '\0';
	cr_assert(put(name, 1, 0, "x"));
	cr_assert_not(put("", 1, 0, "x"));
	expect(PVW_BLOB_0001, "0 bytes");
	cr_assert_not(put("a b", 1, 0, "x"));
	expect(PVW_BLOB_0001, "0x20");
	cr_assert_not(put("\xc3\xa4", 1, 0, "x"));
	expect(PVW_BLOB_0001, "0xc3");
	cr_assert_not(put("a\x7f", 1, 0, "x"));
	expect(PVW_BLOB_0001, "0x7f");
}

Test(blob_store, keeps_sixteen)
{
	char name[8];

	for (int i = 0; i < BLOB_STORE_MAX_BLOBS; i++) {
		snprintf(name, sizeof(name), "b%d", i);
		cr_assert(put(name, 1, 0, "x"), "%s", err.text);
	}
	cr_assert_not(put("more", 1, 0, "x"));
	expect(PVW_BLOB_0003, "16");
	cr_assert(put("b3", 1, 0, "y"), "one that is there may be replaced");
}

Test(blob_store, bounds_what_all_claim_together)
{
	cr_assert(put("a", 1000, 0, "x"));
	cr_assert_not(put("b", BLOB_STORE_DEFAULT_BYTES - 999, 0, "x"));
	expect(PVW_BLOB_0003, "beside the others");
	cr_assert_not(put("b", UINT64_MAX, 0, "x"));
	expect(PVW_BLOB_0003, "18446744073709551615");
	cr_assert_eq(store.count, 1);
	cr_assert_not(put("a", BLOB_STORE_DEFAULT_BYTES + 1, 0, "x"));
	expect(PVW_BLOB_0003, "536870912");
	cr_assert_eq(blob_store_find(&store, "a")->total, 1000);
}

Test(blob_store, asks_for_a_blob_again_that_is_not_the_one_stated)
{
	const Digest right = digest_of((Bytes){ (const uint8_t *)"ab", 2 });
	Digest wrong = right;
	BlobChunk chunk = { .name = "a", .total = 2, .data = { (const uint8_t *)"ab", 2 } };

	wrong.bytes[31] ^= 1;
	chunk.expect = &wrong;
	cr_assert_not(blob_store_put(&store, &chunk, &received, &err));
	expect(PVW_BLOB_0004, "expected");
	cr_assert_eq(blob_store_find(&store, "a")->received, 0);
	chunk.expect = &right;
	cr_assert(blob_store_put(&store, &chunk, &received, &err));
}

Test(blob_store, checks_the_digest_with_the_last_chunk_alone)
{
	const Digest whole = digest_of((Bytes){ (const uint8_t *)"abcd", 4 });
	BlobChunk chunk = {
		.name = "a", .total = 4, .data = { (const uint8_t *)"ab", 2 }, .expect = &whole
	};

	cr_assert(blob_store_put(&store, &chunk, &received, &err), "%s", err.text);
	chunk.offset = 2;
	chunk.data.data = (const uint8_t *)"cd";
	cr_assert(blob_store_put(&store, &chunk, &received, &err), "%s", err.text);
}

Test(blob_store, forgets_everything_when_cleared)
{
	cr_assert(put("a", 1, 0, "x"));
	blob_store_clear(&store);
	cr_assert_eq(store.count, 0);
	cr_assert_null(blob_store_find(&store, "a"));
	blob_store_clear(&store);
}

static const Blob *whole(const char *name, size_t len)
{
	static uint8_t bytes[3 << 20];
	BlobChunk chunk = { .name = name, .total = len };

	cr_assert_leq(len, sizeof(bytes));
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i % 251);
	for (; chunk.offset < len; chunk.offset += chunk.data.len) {
		const size_t left = len - chunk.offset;

		chunk.data = (Bytes){ bytes + chunk.offset,
			left < (1 << 20) ? left : (size_t)1 << 20 };
		cr_assert(blob_store_put(&store, &chunk, &received, &err), "%s", err.text);
	}
	return blob_store_find(&store, name);
}

Test(blob_store, shows_nothing_before_everything_is_there)
{
	cr_assert(put("a", 4, 0, "ab"));
	cr_assert_not(blob_store_find(&store, "a")->complete);
	cr_assert_null(blob_store_find(&store, "a")->bytes.data);
	cr_assert(put("a", 4, 2, "cd"));
	cr_assert(blob_store_find(&store, "a")->complete);
	cr_assert_not(put("a", 4, 4, ""), "nothing comes behind the last byte");
	expect(PVW_BLOB_0002, "\"a\"");
}

Test(blob_store, knows_the_digest_of_what_came)
{
	const Blob *blob = whole("kernel", (2 << 20) + 1);

	cr_assert(digest_equal(blob->digest, digest_of(blob->bytes)));
	cr_assert_eq(blob->bytes.len, (2u << 20) + 1);
	for (size_t i = 0; i < blob->bytes.len; i++)
		cr_assert_eq(blob->bytes.data[i], i % 251, "%zu", i);
}

/* What the kernel lets us do at an address: "r--p". */
static void rights_at(const void *address, char rights[5])
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	cr_assert_not_null(maps);
	rights[0] = 0;
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		char found[5];

		if (sscanf(line, "%lx-%lx %4s", &start, &end, found) == 3 &&
			start <= (unsigned long)address && (unsigned long)address < end)
			strcpy(rights, found);
	}
	fclose(maps);
}

Test(blob_store, lets_nobody_write_to_a_blob)
{
	char rights[5];

	rights_at(whole("kernel", 4096)->bytes.data, rights);
	cr_assert_str_eq(rights, "r--p");
}

/* Bytes of ours in memory, of files and of our own: VmSize counts what is only claimed, too. */
static uint64_t resident(void)
{
	char line[256];
	uint64_t kib = 0, sum = 0;
	FILE *status = fopen("/proc/self/status", "r");

	cr_assert_not_null(status);
	while (fgets(line, sizeof(line), status)) {
		if (sscanf(line, "RssAnon: %lu kB", &kib) == 1 ||
			sscanf(line, "RssFile: %lu kB", &kib) == 1 ||
			sscanf(line, "RssShmem: %lu kB", &kib) == 1)
			sum += kib * 1024;
	}
	fclose(status);
	return sum;
}

Test(blob_store, holds_no_memory_for_what_is_only_claimed)
{
	const uint64_t before = resident();

	cr_assert(put("a", 256 << 20, 0, "x"), "%s", err.text);
	cr_assert_lt(resident() - before, 8u << 20);
}

Test(blob_store, keeps_to_the_limit_it_is_given)
{
	store.max_bytes = 10;
	cr_assert(put("a", 6, 0, "ab"));
	cr_assert_not(put("b", 5, 0, "x"));
	expect(PVW_BLOB_0003, "at most 4");
	cr_assert(put("b", 4, 0, "x"));
	blob_store_clear(&store);
	cr_assert_eq(blob_store_limit(&store), 10u);
	cr_assert(put("c", 10, 0, "x"));
	store.max_bytes = 0;
	cr_assert_eq(blob_store_limit(&store), BLOB_STORE_DEFAULT_BYTES);
}

Test(blob_store, refuses_a_blob_of_nothing_with_another_digest)
{
	const Digest wrong = { { 1 } };
	const BlobChunk chunk = { .name = "a", .expect = &wrong };

	cr_assert_not(blob_store_put(&store, &chunk, &received, &err));
	expect(PVW_BLOB_0004, "\"a\"");
	cr_assert_not(blob_store_find(&store, "a")->complete);
}

Test(blob_store, says_what_the_system_refuses)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &limit);
	cr_assert_not(put("a", 4097, 0, "x"));
	expect(PVW_BLOB_0003, "File too large");
	cr_assert_eq(store.count, 0u);
}
