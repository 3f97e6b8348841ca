/*
 * Entropy from a seed: the worked example of docs/formats.md, computed elsewhere (sha256sum).
 */
#include "host/seed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(seed, gives_the_digests_of_magic_seed_and_counter)
{
	uint8_t entropy[ENTROPY_SIZE];
	char text[2 * ENTROPY_SIZE + 1];

	seed_entropy(1, entropy);

	for (size_t i = 0; i < ENTROPY_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", entropy[i]);
	cr_assert_str_eq(text,
		"f5393d1a82c52df76f6a65cc1410d66835dde7003ff057b4cd4c19b393cd6905"
		"60f461102b651049707974933c0972a38b5871ccc8903c3b0cc37a50917ab832");
}

Test(seed, gives_other_bytes_for_another_seed)
{
	uint8_t a[ENTROPY_SIZE], b[ENTROPY_SIZE];

	seed_entropy(0, a);
	seed_entropy(UINT64_MAX, b);

	cr_assert_neq(memcmp(a, b, DIGEST_SIZE), 0);
	cr_assert_neq(memcmp(a + DIGEST_SIZE, b + DIGEST_SIZE, DIGEST_SIZE), 0);
}
