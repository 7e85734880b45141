/* SPDX-License-Identifier: MIT */
#include "options_table.h"

#include "../wire.h"
#include "interrupt.h"

#define AT(field) offsetof(struct options_parsed, field)
#define LIMIT(field) offsetof(struct options_parsed, options.limits.field)
#define GIB ((uint64_t)1 << 30)

const struct option_row options_rows[OPTION_ROWS] = {
	{ "output", 'o', OPTION_TEXT, "FILE", "write there, whole or not at all", AT(options.output), 0, 0 },
	{ "to", 't', OPTION_SINK, "FORMAT", "output format; else by FILE's extension, else raw", 0, 0, 0 },
	{ "pixels", 'p', OPTION_PIXELS, "FORMAT", "pixel format; default: bgra for raw, else by picture", 0, 0, 0 },
	{ "scale", 0, OPTION_COUNT32, "N", "width and height reduced to 1/N: 1, 2, 4 or 8", AT(options.scale), 1, 8 },
	{ "samples", 0, OPTION_SAMPLES, "FORMAT", "s16, s24, s32 or f32; default: as in the file", 0, 0, 0 },
	{ "cover", 0, OPTION_FLAG, NULL, "decode the picture that is embedded in audio", AT(options.cover), 0, 0 },
	{ "info", 'i', OPTION_FLAG, NULL, "print a JSON object an input; decode no pixels", AT(options.info), 0, 0 },
	{ "decoder", 0, OPTION_DECODER, "NAME", "take the input for this format, not by its content", 0, 0, 0 },
	{ "play", 0, OPTION_DEVICE, "[=DEVICE]", "play audio through ALSA (default device: default)", 0, DEVICE_SPEAKER,
	  0 },
	{ "framebuffer", 0, OPTION_DEVICE, "[=FILE]", "show the picture there (default: /dev/fb0)", 0,
	  DEVICE_FRAMEBUFFER, 0 },
	{ "display", 0, OPTION_DEVICE, "[=FILE]", "the same through DRM (default: /dev/dri/card0)", 0, DEVICE_DISPLAY,
	  0 },
	{ "show", 0, OPTION_COUNT32, "SECONDS", "how long; default: until a key, else 10", AT(options.show), 0, 86400 },
	{ "list-decoders", 0, OPTION_ACTION, NULL, "print the formats that can be decoded", 0, OPTIONS_LIST_DECODERS,
	  0 },
	{ "output-dir", 0, OPTION_TEXT, "DIR", "write one file an input there; go on after failures",
	  AT(options.output_dir), 0, 0 },
	{ "jobs", 'j', OPTION_COUNT32, "N", "decodes at a time with --output-dir (default: CPUs)", AT(jobs), 1,
	  INTERRUPT_CHILDREN },
	{ "partial", 0, OPTION_FLAG, NULL, "keep what was decoded of a damaged input", AT(options.partial), 0, 0 },
	{ "strict", 0, OPTION_FLAG, NULL, "refuse damage that could be concealed or passed over", AT(options.strict), 0,
	  0 },
	{ "max-side", 0, OPTION_COUNT32, "N", "pixels a side (default 65535)", LIMIT(max_side), 1, WIRE_SIDE_MAX },
	{ "max-pixels", 0, OPTION_COUNT64, "N", "pixels in all (default 268435456)", LIMIT(max_pixels), 1, INT64_MAX },
	{ "max-output", 0, OPTION_SIZE, "SIZE", "bytes of output (default 4G)", LIMIT(max_output), 1, INT64_MAX },
	{ "max-input", 0, OPTION_SIZE, "SIZE", "bytes of input (default 2G)", LIMIT(max_input), 1, INT64_MAX },
	{ "max-rate", 0, OPTION_COUNT32, "HZ", "sample frames a second to play (default 192000)",
	  AT(options.sound.max_rate), SOUND_RATE_LEAST, WIRE_RATE_MAX },
	{ "max-channels", 0, OPTION_COUNT32, "N", "channels to play (default 8)", AT(options.sound.max_channels), 1,
	  WIRE_CHANNELS_MAX },
	{ "max-duration", 0, OPTION_COUNT32, "N", "seconds to play (default 86400)", AT(options.sound.max_seconds), 1,
	  INT32_MAX },
	{ "memory", 0, OPTION_SIZE, "SIZE", "memory of the decoder (default 512M)", LIMIT(memory), (uint64_t)1 << 20,
	  1024 * GIB },
	{ "cpu", 0, OPTION_COUNT32, "SECONDS", "processor time of the decoder (default 30)", LIMIT(cpu_seconds), 1,
	  86400 },
	{ "stall", 0, OPTION_COUNT32, "SECONDS", "time without a byte from the decoder (default 30)",
	  LIMIT(stall_seconds), 1, 86400 },
	{ "posture", 0, OPTION_FLAG, NULL, "print what was verified of the sandbox, as JSON", AT(options.posture), 0,
	  0 },
	{ "diagnose", 0, OPTION_FLAG, NULL, "run again to name a forbidden system call; no output",
	  AT(options.diagnose), 0, 0 },
	{ "quiet", 'q', OPTION_FLAG, NULL, "only errors on standard error", AT(options.quiet), 0, 0 },
	{ "verbose", 'v', OPTION_FLAG, NULL, "more on standard error", AT(options.verbose), 0, 0 },
	{ "version", 0, OPTION_ACTION, NULL, "print the version", 0, OPTIONS_VERSION, 0 },
	{ "help", 'h', OPTION_ACTION, NULL, "print this", 0, OPTIONS_HELP, 0 },
};
