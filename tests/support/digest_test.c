#include <criterion/criterion.h>
#include <string.h>

#include "support/digest.h"

/* [FIPS180-4] examples: one block, two blocks, nothing, a million of one letter. */
static const struct {
	const char *text, *hex;
} vectors[] = {
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

Test(digest, knows_the_published_answers)
{
	char hex[DIGEST_HEX_SIZE];

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const Bytes bytes = { (const uint8_t *)vectors[i].text,
			strlen(vectors[i].text) };

		digest_format(digest_of(bytes), hex);
		cr_assert_str_eq(hex, vectors[i].hex);
	}
}

Test(digest, of_a_million_letters_in_uneven_pieces)
{
	char hex[DIGEST_HEX_SIZE];
	uint8_t letters[997];
	DigestState state;
	size_t left = 1000000;

	memset(letters, 'a', sizeof(letters));
	digest_begin(&state);
	for (size_t piece = 1; left > 0; piece = piece * 3 % 997) {
		const size_t len = piece < left ? piece : left;

		digest_add(&state, letters, len);
		left -= len;
	}
	digest_format(digest_end(&state), hex);

	cr_assert_str_eq(
		hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

Test(digest, numbers_are_eight_little_endian_bytes)
{
	static const uint8_t bytes[] = { 8, 7, 6, 5, 4, 3, 2, 1 };
	DigestState state;

	digest_begin(&state);
	digest_add_u64(&state, UINT64_C(0x0102030405060708));

	cr_assert(digest_equal(digest_end(&state), digest_of((Bytes){ bytes, 8 })));
}

Test(digest, nothing_added_changes_nothing)
{
	DigestState state;

	digest_begin(&state);
	digest_add(&state, NULL, 0);

	cr_assert(digest_equal(digest_end(&state), digest_of((Bytes){ 0 })));
}

Test(digest, differs_in_any_byte)
{
	const Digest digest = digest_of((Bytes){ 0 });

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		Digest other = digest;

		other.bytes[i] ^= 1;
		cr_assert_not(digest_equal(digest, other));
	}
	cr_assert(digest_equal(digest, digest));
}

Test(digest, state_is_a_value)
{
	DigestState state, copy;

	digest_begin(&state);
	digest_add(&state, "ab", 2);
	copy = state;
	digest_add(&state, "c", 1);
	digest_add(&copy, "c", 1);

	cr_assert(digest_equal(digest_end(&state), digest_end(&copy)));
}
