/* SPDX-License-Identifier: MIT */
/* More rows for the registry of the tests' command line: inputs for tests/hostile.c and tests/hostile_sound.c. */
static inline _Bool is_hostile(const unsigned char *start, __SIZE_TYPE__ size)
{
	return size >= 8 && __builtin_memcmp(start, "HOSTILE ", 8) == 0;
}
static inline _Bool is_hostile_sound(const unsigned char *start, __SIZE_TYPE__ size)
{
	return size >= 8 && __builtin_memcmp(start, "HOSTSND ", 8) == 0;
}
#define SAFE_DECODE_TEST_FORMATS                                                                                          \
	{ "hostile", "hostile", 0, SAFE_KIND_IMAGE, "attacks, for tests", "hostile", is_hostile }, { "hostile-sound",     \
		                                                                                     "hostile_sound",     \
		                                                                                     0,                   \
		                                                                                     SAFE_KIND_AUDIO,     \
		                                                                                     "the same of sound", \
		                                                                                     "hostile",           \
		                                                                                     is_hostile_sound },
