/* SPDX-License-Identifier: MIT */
/* More rows for the registry of the tests' programs: inputs for tests/hostile/, which may attack as a decoder of
 * pictures, of bytes, or of sound, and for tests/hostile/sound.c. */
#define SAFE_DECODE_TEST_FORMATS                                                                                           \
	{ "hostile", "hostile", 0, SDEC_KIND_IMAGE, "attacks", "hostile", NULL, BY_MARKS(LOOK_START("HOSTILE ")) },        \
	        { "hostile-bytes",                                                                                         \
		  "hostile",                                                                                               \
		  1,                                                                                                       \
		  SDEC_KIND_BYTES,                                                                                         \
		  "attacks",                                                                                               \
		  "",                                                                                                      \
		  NULL,                                                                                                    \
		  RANDOM_ACCESS,                                                                                           \
		  BY_MARKS(LOOK_START("HOSTBYT ")) },                                                                      \
	        { "hostile-sound", "hostile", 2, SDEC_KIND_AUDIO, "attacks", "", NULL, BY_MARKS(LOOK_START("HOSTSND ")) }, \
	        { "hostile-audio",                                                                                         \
		  "hostile_sound",                                                                                         \
		  0,                                                                                                       \
		  SDEC_KIND_AUDIO,                                                                                         \
		  "lies",                                                                                                  \
		  "",                                                                                                      \
		  NULL,                                                                                                    \
		  BY_MARKS(LOOK_START("HOSTAUD ")) },
