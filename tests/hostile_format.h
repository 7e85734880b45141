/* SPDX-License-Identifier: MIT */
/* One more row for the registry of the tests' command line: inputs for tests/hostile.c. */
static inline _Bool is_hostile(const unsigned char *start, __SIZE_TYPE__ size)
{
	return size >= 8 && __builtin_memcmp(start, "HOSTILE ", 8) == 0;
}
#define SAFE_DECODE_TEST_FORMATS                                                                                       \
	{ "hostile", "hostile", 0, SAFE_KIND_IMAGE, "attacks, for tests", "hostile", is_hostile },
