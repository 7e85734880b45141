/* SPDX-License-Identifier: MIT */
/* More rows for the registry of the tests' programs: inputs for tests/hostile/, which may attack as a decoder of
 * pictures, of bytes, or of sound, and for tests/hostile_sound.c. */
static inline _Bool is_hostile(const unsigned char *start, __SIZE_TYPE__ size)
{
	return size >= 8 && __builtin_memcmp(start, "HOSTILE ", 8) == 0;
}
static inline _Bool is_hostile_bytes(const unsigned char *start, __SIZE_TYPE__ size)
{
	return size >= 8 && __builtin_memcmp(start, "HOSTBYT ", 8) == 0;
}
static inline _Bool is_hostile_sound(const unsigned char *start, __SIZE_TYPE__ size)
{
	return size >= 8 && __builtin_memcmp(start, "HOSTSND ", 8) == 0;
}
static inline _Bool is_hostile_audio(const unsigned char *start, __SIZE_TYPE__ size)
{
	return size >= 8 && __builtin_memcmp(start, "HOSTAUD ", 8) == 0;
}
#define SAFE_DECODE_TEST_FORMATS                                                                                       \
	{ "hostile", "hostile", 0, SAFE_KIND_IMAGE, "attacks, for tests", "hostile", is_hostile },                     \
	        { "hostile-bytes", "hostile", 1, SAFE_KIND_BYTES, "attacks, for tests", "", is_hostile_bytes },        \
	        { "hostile-sound", "hostile", 2, SAFE_KIND_AUDIO, "attacks, for tests", "", is_hostile_sound },        \
	        { "hostile-audio", "hostile_sound", 0, SAFE_KIND_AUDIO, "lies about sound", "", is_hostile_audio },
