/* SPDX-License-Identifier: MIT */
/*
 * libsafe-decode: decode untrusted pictures, sound and compressed data without having to trust the decoder.
 *
 * Each input is decoded by a process of its own that can read one pipe, write another and exit, and nothing else.
 * The library itself contains no codec.  Each decoder is a program of its own, which the library starts as a *broker*
 * when it is needed; it takes locked-down children from it, sends them the input, and checks what comes back.
 *
 *     struct sdec_pool *decoder = NULL;
 *     struct sdec_image image = { .size = sizeof(image) };
 *     struct sdec_input input = {
 *             .size = sizeof(input), .kind = SDEC_INPUT_MEMORY, .data = bytes, .data_size = length
 *     };
 *
 *     if (sdec_pool_open(NULL, &decoder) == SDEC_OK &&
 *         sdec_decode_image(decoder, &input, NULL, &image, NULL) == SDEC_OK) {
 *             show(image.pixels, image.width, image.height, image.stride);
 *             sdec_image_free(&image);
 *     }
 *     sdec_pool_close(&decoder);
 *
 * Structs grow.  The first member of each struct that crosses this interface is its size as the caller's compiler knows
 * it; set it, and zero the rest, before any call: a size of 0 is SDEC_USAGE.  Members that an older caller does not
 * know are taken as zero, and none that it does not know is written.  A newer caller's members that this library does
 * not know must be zero: anything else is SDEC_USAGE.  Zero always means the default.
 *
 * Threads.  A struct sdec_pool may be used by any number of threads at once.  A struct sdec_stream belongs to one
 * thread at a time.  Handles do not survive fork(): in the child, every call on them fails with SDEC_USAGE.
 *
 * Signals and processes.  The library installs no handlers, and never raises SIGPIPE.  Brokers are no children of the
 * caller: no wait() or waitpid() of the caller's is about them, but for one with __WALL, which harms nothing; and no
 * SIGCHLD comes.  They end when the caller closes the handle, and when it ends in any other way.  (A caller that is the
 * init of its container, or has made itself a subreaper, inherits them, as all orphans.)  Each handle costs three
 * descriptors for each decoder that is in use, and three for each spare; a stream, five to seven.  Where the system has
 * no process or descriptor left, a decode waits until one of the same handle has ended; where nothing can end, it is
 * SDEC_EXHAUSTED.
 */
#ifndef SAFE_DECODE_H
#define SAFE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SDEC_API __attribute__((visibility("default")))

/* How a call ended.  The command line exits with the same numbers. */
enum sdec_status {
	SDEC_OK = 0,          /* complete, or partial where partial results were asked for */
	SDEC_USAGE = 1,       /* an argument is wrong; nothing was done */
	SDEC_IO = 2,          /* the caller's own input or output failed, or the caller has no memory or descriptors */
	SDEC_MALFORMED = 3,   /* the input is not valid, or ends early */
	SDEC_LIMIT = 4,       /* a limit was reached; sdec_result.limit says which */
	SDEC_KILLED = 5,      /* the decoder crashed, broke a rule of the sandbox, lied, or was killed from outside */
	SDEC_NO_SANDBOX = 6,  /* the sandbox could not be set up or verified: nothing was decoded */
	SDEC_UNSUPPORTED = 7, /* no decoder for this format or variant */
	SDEC_EXHAUSTED = 8, /* the system has no process, descriptor or memory left: try again later.  (The command line
	                     * ends with 2 then.) */
	SDEC_TOO_SMALL = 9, /* the caller's memory is too small for what the input gives */
	/* The input gives another kind of thing than the call is for: sound, say, and no picture. */
	SDEC_WRONG_KIND = 10,
};

/* Which limit a SDEC_LIMIT is about. */
enum sdec_limit {
	SDEC_LIMIT_NONE = 0,
	SDEC_LIMIT_SIDE = 1,     /* width or height */
	SDEC_LIMIT_PIXELS = 2,   /* pixels over all frames */
	SDEC_LIMIT_OUTPUT = 3,   /* bytes of output */
	SDEC_LIMIT_INPUT = 4,    /* bytes of input */
	SDEC_LIMIT_MEMORY = 5,   /* the decoder's memory */
	SDEC_LIMIT_METADATA = 6, /* bytes of metadata */
	SDEC_LIMIT_CPU = 7,      /* processor time of the decoder */
	SDEC_LIMIT_STALL = 8,    /* time in which the decoder neither took nor gave a byte, though it could */
	SDEC_LIMIT_DEADLINE = 9, /* wall-clock time of the whole decode */
	SDEC_LIMIT_WORK = 10,    /* processor time of the caller's side: for checking, converting, writing */
	SDEC_LIMIT_COVER = 11,   /* bytes of a picture that is embedded in sound */
	SDEC_LIMIT_READS =
	        12, /* bytes of input, with those that the decoder reads again: 16 times its size, or 1 GiB */
};

/* Pixel formats.  Bytes in memory order, the top row first.  Alpha is not premultiplied unless the name says so.
 * Samples of more than 8 bits are in the machine's order.
 *
 * Where the file has more bits than the format, they are rounded, and where it has fewer, widened so that white stays
 * white.  Floats are linear light, in which 1 is white: what the file stores as integers is taken for sRGB, and what it
 * stores as floats is given as it is, whatever the value (less than 0, infinite, no number).  Where it is wanted in
 * integers, light is cut to 0 to 1 and encoded as sRGB, but for floats of TIFF, PFM and JPEG XL, which are only cut. */
enum sdec_pixel_format {
	SDEC_BGRA = 0,               /* 4 bytes a pixel; the default */
	SDEC_RGBA = 1,               /* 4 bytes */
	SDEC_BGRA_PREMULTIPLIED = 2, /* 4 bytes */
	SDEC_RGBA_PREMULTIPLIED = 3, /* 4 bytes */
	SDEC_RGB = 4,                /* 3 bytes; transparency is dropped */
	SDEC_BGR = 5,                /* 3 bytes; transparency is dropped */
	SDEC_GRAY = 6,               /* 1 byte: luma */
	SDEC_RGBA16 = 7,             /* 8 bytes: four samples of 16 bits */
	SDEC_GRAY_ALPHA = 8,         /* 2 bytes, of 8 bits each: luma, alpha */
	SDEC_GRAY16 = 9,             /* 2 bytes */
	SDEC_GRAY_ALPHA16 = 10,      /* 4 bytes */
	SDEC_RGB16 = 11,             /* 6 bytes; transparency is dropped */
	SDEC_RGBA_F16 = 12,          /* 8 bytes: four IEEE 754 half floats */
	SDEC_RGBA_F32 = 13,          /* 16 bytes: four IEEE 754 single floats */
};

/* How the file stores colour.  The pixels that the library gives are gray or RGB all the same. */
enum sdec_color {
	SDEC_COLOR_GRAY = 0,
	SDEC_COLOR_RGB = 1,
	SDEC_COLOR_YCBCR = 2,
	SDEC_COLOR_CMYK = 3,
	SDEC_COLOR_YCCK = 4,
	SDEC_COLOR_PALETTE = 5,
};

/* What an input gives. */
enum sdec_kind {
	SDEC_KIND_NONE = 0,
	SDEC_KIND_IMAGE = 1, /* pixels */
	SDEC_KIND_BYTES = 2, /* a stream of bytes: decompressed data */
	SDEC_KIND_AUDIO = 3, /* sound: samples */
};

/* Sample formats.  Little-endian, the channels interleaved: one sample of each channel is a sample frame.  What has
 * fewer bits than its format stands at the top of it; what has more is rounded. */
enum sdec_sample_format {
	SDEC_SAMPLES_NATIVE = 0, /* the default: the least that holds those of the file; s16 for lossy ones */
	SDEC_S16 = 1,            /* 2 bytes a sample */
	SDEC_S24 = 2,            /* 3 bytes */
	SDEC_S32 = 3,            /* 4 bytes */
	SDEC_F32 = 4,            /* 4 bytes, IEEE 754; full scale is -1 to 1, beyond which files may go */
};

/* Where a channel belongs: the speakers of WAVE_FORMAT_EXTENSIBLE, in its order. */
enum sdec_speaker {
	SDEC_FRONT_LEFT = 0,
	SDEC_FRONT_RIGHT = 1,
	SDEC_FRONT_CENTER = 2,
	SDEC_LOW_FREQUENCY = 3,
	SDEC_BACK_LEFT = 4,
	SDEC_BACK_RIGHT = 5,
	SDEC_FRONT_LEFT_OF_CENTER = 6,
	SDEC_FRONT_RIGHT_OF_CENTER = 7,
	SDEC_BACK_CENTER = 8,
	SDEC_SIDE_LEFT = 9,
	SDEC_SIDE_RIGHT = 10,
	SDEC_TOP_CENTER = 11,
	SDEC_TOP_FRONT_LEFT = 12,
	SDEC_TOP_FRONT_CENTER = 13,
	SDEC_TOP_FRONT_RIGHT = 14,
	SDEC_TOP_BACK_LEFT = 15,
	SDEC_TOP_BACK_CENTER = 16,
	SDEC_TOP_BACK_RIGHT = 17,
	SDEC_SPEAKER_UNKNOWN = 255, /* the file does not say */
};

/* What a tag tells: of sound, and of pictures. */
enum sdec_tag {
	SDEC_TAG_TITLE = 0,
	SDEC_TAG_ARTIST = 1,
	SDEC_TAG_ALBUM = 2,
	SDEC_TAG_ALBUM_ARTIST = 3,
	SDEC_TAG_COMPOSER = 4,
	SDEC_TAG_PERFORMER = 5,
	SDEC_TAG_TRACK = 6,
	SDEC_TAG_DISC = 7,
	SDEC_TAG_DATE = 8,
	SDEC_TAG_GENRE = 9,
	SDEC_TAG_COMMENT = 10,
	SDEC_TAG_COPYRIGHT = 11,
	SDEC_TAG_PUBLISHER = 12,
	SDEC_TAG_ISRC = 13,
	SDEC_TAG_LANGUAGE = 14,
	SDEC_TAG_ENCODER = 15,
	SDEC_TAG_DESCRIPTION = 16, /* this and all that follow are of pictures; they have ARTIST, TITLE, COMMENT and
	                            * COPYRIGHT, too */
	SDEC_TAG_SOFTWARE = 17,
	SDEC_TAG_MAKE = 18, /* of the camera */
	SDEC_TAG_MODEL = 19,
	SDEC_TAG_LENS = 20,
	SDEC_TAG_TAKEN = 21,        /* when, by the camera's clock: "2004:08:27 13:52:55" */
	SDEC_TAG_EXPOSURE = 22,     /* seconds: "1/250", "2.5" */
	SDEC_TAG_APERTURE = 23,     /* the f-number: "2.8" */
	SDEC_TAG_ISO = 24,          /* "100" */
	SDEC_TAG_FOCAL_LENGTH = 25, /* millimetres: "35" */
	SDEC_TAG_POSITION = 26,     /* degrees of latitude and longitude: "-33.856800,151.215300" */
	SDEC_TAG_DENSITY = 27,      /* dots an inch, across and down: "300x300" */
	SDEC_TAG_PROFILE = 28,      /* the name of the colour space */
};

/* Blocks of a picture, as they are in the file: nobody has looked into them. */
enum sdec_blob {
	SDEC_BLOB_ICC = 0,  /* a colour profile */
	SDEC_BLOB_EXIF = 1, /* from its TIFF header on */
	SDEC_BLOB_XMP = 2,
};

#define SDEC_CHANNELS_MAX 64    /* of any sound */
#define SDEC_UNKNOWN UINT64_MAX /* a length that the file does not tell */

/* ---- the decoder: a handle that keeps brokers and waiting children ---- */

struct sdec_pool;

/* How a decoder works. */
struct sdec_config {
	size_t size;           /* sizeof(struct sdec_config) */
	const char *programs;  /* absolute path of the folder of decoder programs; NULL: those that were installed with
	                        * the  library */
	uint64_t memory;       /* bytes: the most that any request may allow its decoder; 0: 512 MiB */
	uint32_t spares;       /* children of each decoder program that wait, ready, for work; 0: 2 */
	uint32_t no_spares;    /* not 0: keep none; each decode then waits for a child to be made */
	uint32_t idle_seconds; /* a broker ends, and its spares with it, after so long without work; 0: 60 */
};

/* Makes a decoder.  `config` may be NULL for the defaults; it is copied.  No process is started yet: brokers are
 * started on demand, one for each decoder program, and are started anew when they ended or when one of their children
 * crashed (so that no address layout outlives a crash).
 *
 * Success: SDEC_OK, and *decoder is a handle that the caller owns and gives back with sdec_pool_close().
 * Failure: SDEC_USAGE (a member of *config makes no sense) or SDEC_IO (no memory); *decoder is NULL. */
SDEC_API enum sdec_status sdec_pool_open(const struct sdec_config *config, struct sdec_pool **decoder);

/* Ends all brokers and children of *decoder, waits until they are gone, frees it, and sets *decoder to NULL.  All of
 * its streams must have been closed, and no other thread may be using it.  NULL and a pointer to NULL are allowed.  In
 * a process forked from the one that opened it, only memory and descriptors are freed. */
SDEC_API void sdec_pool_close(struct sdec_pool **decoder);

/* ---- what goes in ---- */

/* Where compressed bytes come from. */
enum sdec_input_kind {
	SDEC_INPUT_NONE = 0,
	SDEC_INPUT_MEMORY = 1, /* `data` and `data_size` */
	SDEC_INPUT_FD = 2,     /* `fd` */
};

/* Compressed bytes, from memory or from a descriptor.  The memory must not change until the call (or the stream) that
 * it was given to has ended. */
struct sdec_input {
	size_t size;      /* sizeof(struct sdec_input) */
	uint32_t kind;    /* enum sdec_input_kind: which of the next members count; 0 is SDEC_USAGE */
	int fd;           /* borrowed; read from its current position to its end, or as far as the decoder needs;
	                   * where it stands afterwards is not defined */
	const void *data; /* borrowed */
	size_t data_size; /* bytes */
	const char *name; /* borrowed, or NULL.  Formats are recognised by content; only for those that have no mark of
	                   * their own, the name's extension counts */
};

/* What a decode may cost.  0 in a member: the default. */
struct sdec_limits {
	size_t size;            /* sizeof(struct sdec_limits) */
	uint64_t max_pixels;    /* over all frames; default 256 Mi */
	uint64_t max_output;    /* bytes of pixels, samples or data; default 4 GiB */
	uint64_t max_input;     /* bytes; default 2 GiB */
	uint64_t memory;        /* bytes for the decoder, at least 1 MiB; default, and most, sdec_config.memory */
	uint32_t max_side;      /* pixels; default 65535, most 524288 */
	uint32_t max_metadata;  /* bytes of one ancillary block, given or not, and of all tags; default 1 MiB */
	uint32_t cpu_seconds;   /* processor time of the decoder; default 30 */
	uint32_t stall_seconds; /* time in which it neither takes nor gives a byte, though it could; time in which the
	                         * caller is slow does not count; default 30 */
	uint32_t deadline_milliseconds; /* of the whole decode, the waiting for a child included; default: none */
	uint32_t work_seconds;          /* processor time of the caller's own process for this decode; default 300 */
	uint32_t reserved;
	uint64_t max_cover; /* bytes of a picture that is embedded in sound; default 16 MiB */
};

/* sdec_request.flags */
/* Of a damaged input, keep what was decoded: SDEC_OK, and sdec_result.damage is set. */
#define SDEC_PARTIAL UINT32_C(1)
/* Of sound, refuse what otherwise is concealed or skipped, and counted: each damaged part is SDEC_MALFORMED.  Of
 * pictures and compressed data, refuse those that are complete, but whose end is missing or wrong or has something
 * behind it. */
#define SDEC_STRICT UINT32_C(2)
/* Of streams: the tags, SDEC_EVENT_INFO, and SDEC_EVENT_END.  Nothing is decoded. */
#define SDEC_HEADER_ONLY UINT32_C(4)
/* Of streams that give pictures: the tags; and blocks, each as SDEC_EVENT_BLOB, if there is one that is not larger than
 * sdec_limits.max_metadata.  They come before SDEC_EVENT_INFO; what the file has behind its pixels does not come. */
#define SDEC_TAGS UINT32_C(8)
#define SDEC_ICC UINT32_C(16)
#define SDEC_EXIF UINT32_C(32)
#define SDEC_XMP UINT32_C(64)
/* Of pictures: one that is smaller than the box that it is to fit is made larger. */
#define SDEC_ENLARGE UINT32_C(128)
/* Of pictures: transparent pixels are put on sdec_request.background, and all are opaque then. */
#define SDEC_FLATTEN UINT32_C(256)
/* Of streams that give pictures: of one that is progressive or interlaced, coarse forms may come before the whole, each
 * as an SDEC_EVENT_FRAME with `preview` set, and its rows.  They count as output and as pixels; where the limits leave
 * no room for them, they do not come. */
#define SDEC_PREVIEW UINT32_C(512)

/* How a picture fits a box.  It becomes no larger than it is, unless by SDEC_FIT_EXACT, or SDEC_ENLARGE is set. */
enum sdec_fit {
	SDEC_FIT_INSIDE = 0, /* it keeps its shape, and one of its sides may be shorter than the box */
	SDEC_FIT_EXACT = 1,  /* it takes the size of the box, and is stretched */
	SDEC_FIT_COVER = 2,  /* it keeps its shape, and what sticks out of the box is cut off on both sides alike */
};

/* What becomes of a picture that lies on its side, as its orientation says.  AVIF, HEIF and JPEG XL are always turned,
 * for that is part of the format. */
enum sdec_orientation {
	SDEC_ORIENTATION_DEFAULT = 0, /* that is kept, by this version */
	SDEC_ORIENTATION_KEEP = 1,    /* the pixels come as they are stored */
	SDEC_ORIENTATION_APPLY = 2,   /* they come turned, so that the picture stands upright */
};

/* What becomes of colours that the file has a profile for. */
enum sdec_colors {
	SDEC_COLORS_DEFAULT = 0,   /* that is untouched, by this version */
	SDEC_COLORS_UNTOUCHED = 1, /* as they are stored; of CMYK, by the plain formula */
	SDEC_COLORS_SRGB = 2,      /* converted to sRGB: SDEC_UNSUPPORTED, by this version */
};

/* What is wanted. */
struct sdec_request {
	size_t size;                      /* sizeof(struct sdec_request) */
	const struct sdec_limits *limits; /* borrowed; NULL: the defaults */
	const char *format;               /* borrowed; as in `safe-decode --decoder`; NULL: by content */
	uint32_t pixel_format;            /* enum sdec_pixel_format */
	uint32_t flags;                   /* SDEC_PARTIAL, SDEC_STRICT, SDEC_HEADER_ONLY, SDEC_TAGS, ... */
	uint32_t scale;         /* of a picture: width and height at 1/scale, rounded up, each pixel the mean of
	                         * a square: 1, 2, 4 or 8; 0: 1 */
	uint32_t sample_format; /* enum sdec_sample_format */
	const char *allow; /* borrowed; names of the formats that may be decoded, separated by commas: "jpeg,png".  Any
	                    * other is SDEC_UNSUPPORTED, and its decoder is not started.  NULL: all */
	uint32_t first_frame; /* index of the frame or page that is wanted first, from 0; SDEC_UNSUPPORTED where there
	                       * are fewer */
	uint32_t max_frames;  /* how many are wanted at most, of streams and sdec_decode_frames(); 0: 1 of streams, all
	                       * of the other; SDEC_ALL_FRAMES */
	/* What is wanted of a picture, or of each frame and page.  In this order: it is turned; of what is shown then,
	 * a region is cut out; that gets its size, by `scale` or by a box; that is put on a background. */
	uint32_t orientation; /* enum sdec_orientation */
	uint32_t crop_x;      /* pixels, from the left */
	uint32_t crop_y;      /* pixels, from the top */
	uint32_t crop_width;  /* pixels; what sticks out of the picture is left out; where nothing of the region is in
	                       * the picture, it is SDEC_UNSUPPORTED; 0, of both: all of the picture */
	uint32_t crop_height;
	uint32_t fit_width; /* pixels of a box, by a filter in linear light; 0: any; of both: no box */
	uint32_t fit_height;
	uint32_t fit;        /* enum sdec_fit */
	uint32_t background; /* 0xRRGGBB, of sRGB; with SDEC_FLATTEN */
	uint32_t colors;     /* enum sdec_colors */
};

#define SDEC_ALL_FRAMES UINT32_MAX

/* ---- what comes out ---- */

/* What is known of an input once its header was read.  Members that do not belong to its kind are 0. */
struct sdec_info {
	size_t size;             /* sizeof(struct sdec_info) */
	uint32_t kind;           /* enum sdec_kind */
	uint32_t width;          /* pixels, of what comes: after turning, cropping and scaling */
	uint32_t height;         /* pixels */
	uint32_t channels;       /* of a picture, samples a pixel in the file, alpha included; of sound, 1 to 64 */
	uint32_t depth;          /* bits a sample in the file; of lossy sound, of what its decoder gives */
	uint32_t color;          /* enum sdec_color */
	uint32_t has_alpha;      /* not 0: some pixels may be transparent */
	uint32_t progressive;    /* not 0: progressive or interlaced */
	uint32_t has_profile;    /* not 0: the file has an ICC profile; it is not applied */
	uint32_t frames;         /* frames or pages in the file, as far as its header says; 0: it does not */
	uint32_t orientation;    /* EXIF, 1 to 8, as the file says; 0: it does not.  See `upright` */
	uint32_t rate;           /* of sound, as all that follows but `format`: sample frames a second, 1 to 1048575 */
	const char *format;      /* static: "jpeg" */
	uint64_t sample_frames;  /* as far as the file says, else SDEC_UNKNOWN: there may be more or fewer.  What an
	                          * encoder has put before and after the sound is neither counted nor given */
	uint32_t sample_format;  /* enum sdec_sample_format: of the samples that come; never SDEC_SAMPLES_NATIVE */
	uint32_t channel_layout; /* the set of speakers: bit 1 << enum sdec_speaker; 0: the file does not say */
	uint32_t has_float;      /* not 0: the file's samples are floating point; of pictures, too */
	uint32_t lossy;          /* not 0: the codec is lossy */
	uint32_t has_cover;      /* not 0: carries a picture, as far as is known at this point */
	uint32_t reserved;
	uint8_t speakers[SDEC_CHANNELS_MAX]; /* enum sdec_speaker of each channel, in the order in which the samples of
	                                      * a frame come, which is the file's own: that of WAV, or of Vorbis */
	uint32_t animated; /* not 0: the frames follow one another in time; else each is a page, of a size of its own */
	uint32_t loops;    /* how often an animation is shown; 0: without end */
	uint32_t native_format; /* enum sdec_pixel_format: of all, the smallest that loses least of the picture */
	uint32_t upright;       /* not 0: the pixels come turned as `orientation` says */
	const char *library; /* static: the codec library that decodes it, and its version: "libjpeg-turbo 2.1.5".  The
	                      * decoder's program has named it before it had any input */
	const char *mime;    /* static: as in struct sdec_format_info */
};

/* A decoded picture. */
struct sdec_image {
	size_t size;           /* sizeof(struct sdec_image) */
	uint32_t width;        /* pixels */
	uint32_t height;       /* pixels */
	uint32_t pixel_format; /* enum sdec_pixel_format: as requested */
	uint32_t orientation;  /* EXIF, 1 to 8: how it is still to be turned; 0: the file does not say */
	size_t stride;         /* bytes from one row to the next */
	void *pixels;          /* owned by the caller; sdec_image_free() */
	size_t allocated;      /* the library's own; not 0: `pixels` is to be freed */
};

/* One of several pictures. */
struct sdec_frame {
	uint32_t delay_milliseconds; /* how long to show it; 0: a still picture, or a page */
	uint32_t width;              /* pixels: pages may have sizes of their own */
	uint32_t height;             /* pixels */
	uint32_t pixel_format;       /* enum sdec_pixel_format: as requested */
	uint32_t orientation;        /* as in struct sdec_image */
	uint32_t reserved;
	size_t stride; /* bytes from one row to the next */
	void *pixels;  /* freed with all others by sdec_frames_free() */
};

/* All frames or pages of an input. */
struct sdec_frames {
	size_t size;               /* sizeof(struct sdec_frames) */
	struct sdec_frame *frames; /* owned by the caller; sdec_frames_free() */
	size_t count;
	uint32_t animated; /* not 0: they follow one another in time; else each is a page */
	uint32_t loops;    /* how often an animation is shown; 0: without end */
};

/* Decompressed data. */
struct sdec_bytes {
	size_t size;      /* sizeof(struct sdec_bytes) */
	void *data;       /* owned by the caller; sdec_bytes_free() */
	size_t data_size; /* bytes */
	size_t allocated; /* the library's own */
};

/* Decoded sound.  What is said of each member of the same name in struct sdec_info holds here. */
struct sdec_audio {
	size_t size;                         /* sizeof(struct sdec_audio) */
	uint32_t rate;                       /* sample frames a second */
	uint32_t channels;                   /* 1 to 64 */
	uint32_t sample_format;              /* enum sdec_sample_format, never SDEC_SAMPLES_NATIVE */
	uint32_t channel_layout;             /* bits, or 0 */
	uint64_t sample_frames;              /* that are there */
	void *samples;                       /* owned by the caller; sdec_audio_free(); NULL if there are none */
	size_t samples_size;                 /* bytes: of whole sample frames */
	size_t allocated;                    /* the library's own */
	uint8_t speakers[SDEC_CHANNELS_MAX]; /* enum sdec_speaker of each channel */
};

/* sdec_result.notes: what was odd, and cost no pixel, sample or byte. */
#define SDEC_NOTE_TRAILING UINT32_C(1) /* bytes follow the end of what was decoded, and were ignored */
#define SDEC_NOTE_WARNING UINT32_C(2)  /* the codec passed over something that is not named here */
#define SDEC_NOTE_END UINT32_C(4)      /* the end of the input is missing or wrong */
#define SDEC_NOTE_WINDOW UINT32_C(8)   /* compressed data needs a larger window than it says */

/* Why and how a decode ended. */
struct sdec_result {
	size_t size;           /* sizeof(struct sdec_result) */
	uint32_t status;       /* enum sdec_status, as returned */
	uint32_t limit;        /* enum sdec_limit; for SDEC_LIMIT */
	uint32_t damage;       /* not 0: the input is damaged, and the rest of a partial result was filled with zeros */
	uint32_t rows_missing; /* of a partial picture; of one that is turned, what is missing is filled, and not
	                          counted */
	int32_t signal;        /* that ended the decoder; 0: none, or not known */
	int32_t error_number;  /* errno that explains it, or 0 */
	const char *reason;    /* static text of printable ASCII, never the codec's; NULL for a complete decode */
	uint64_t cpu_microseconds; /* processor time of a decoder that did not end well; 0: not known */
	uint64_t peak_memory;      /* bytes resident at most, of the same; 0: not known */
	uint64_t losses;           /* parts of sound that were damaged, and were concealed or skipped */
	uint64_t needed; /* bytes that would be enough: of SDEC_LIMIT_MEMORY, as the decoder says; of SDEC_LIMIT_INPUT,
	                  * of an input whose size is known; 0: not known */
	uint32_t notes;  /* SDEC_NOTE_... */
	uint32_t reserved;
};

/* What the kernel said about a decoder before the first input byte left. */
struct sdec_posture {
	size_t size;           /* sizeof(struct sdec_posture) */
	uint32_t verified;     /* not 0: all that follows was read from the kernel, and is enough */
	uint32_t strict;       /* not 0: strict seccomp mode; else a filter of the same tightness */
	uint32_t filters;      /* seccomp filters in force in it */
	uint32_t inherited;    /* of these, in force before the lock-down */
	uint32_t no_new_privs; /* not 0: it cannot gain privileges */
};

/* ---- one call ---- */

/* Decodes one picture of an input: the first, or sdec_request.first_frame.
 *
 * Success: SDEC_OK; *image is filled, and its pixels are the caller's until sdec_image_free().  Rows are packed:
 * image->stride is width times bytes a pixel.
 * Failure: image->pixels is NULL, and nothing is to be freed.  All statuses are possible; SDEC_WRONG_KIND for an input
 * that gives no picture.
 *
 * `request` and `result` may be NULL.  *result is filled in either case.  Blocks until the decode has ended. */
SDEC_API enum sdec_status sdec_decode_image(struct sdec_pool *decoder, const struct sdec_input *input,
                                            const struct sdec_request *request, struct sdec_image *image,
                                            struct sdec_result *result);

/* The same, into memory of the caller's: row y goes to `pixels` + y * `stride`, and no byte outside of the rows is
 * touched.  `pixels_size` is how many bytes there are.  The pixels stay the caller's: image->allocated is 0, and
 * sdec_image_free() leaves them alone.
 *
 * SDEC_TOO_SMALL when the picture does not fit: when `stride` is less than a row, or `pixels_size` less than
 * stride * (height - 1) + row.  image->width and image->height are set then, so that the caller can try again.  After
 * other failures, what the memory holds is not defined. */
SDEC_API enum sdec_status sdec_decode_image_into(struct sdec_pool *decoder, const struct sdec_input *input,
                                                 const struct sdec_request *request, void *pixels, size_t pixels_size,
                                                 size_t stride, struct sdec_image *image, struct sdec_result *result);

/* Decodes frames or pages, from sdec_request.first_frame on, up to sdec_request.max_frames; 0 means all here.  As
 * sdec_decode_image() otherwise.  Each frame is the whole picture as it is to be shown.  Limits on pixels and output
 * are on all frames together: an animation may be large, so that a viewer had better take a stream. */
SDEC_API enum sdec_status sdec_decode_frames(struct sdec_pool *decoder, const struct sdec_input *input,
                                             const struct sdec_request *request, struct sdec_frames *frames,
                                             struct sdec_result *result);

/* Frees all pixels, and sets frames->frames to NULL and frames->count to 0.  NULL is allowed. */
SDEC_API void sdec_frames_free(struct sdec_frames *frames);

/* Frees the pixels if the library allocated them, and sets image->pixels to NULL.  NULL is allowed. */
SDEC_API void sdec_image_free(struct sdec_image *image);

/* Decodes an input that gives bytes (gzip, zlib, ...), all of them, up to sdec_limits.max_output.  As
 * sdec_decode_image() otherwise. */
SDEC_API enum sdec_status sdec_decode_bytes(struct sdec_pool *decoder, const struct sdec_input *input,
                                            const struct sdec_request *request, struct sdec_bytes *bytes,
                                            struct sdec_result *result);
SDEC_API void sdec_bytes_free(struct sdec_bytes *bytes);

/* Takes the picture that is embedded in sound, the front cover if there are several: a picture file as it stands there,
 * up to sdec_limits.max_cover, and as untrusted as the input.  Give it to sdec_decode_image(), with another request.
 * SDEC_UNSUPPORTED when there is none; SDEC_WRONG_KIND for an input that is no sound.  As sdec_decode_bytes()
 * otherwise. */
SDEC_API enum sdec_status sdec_decode_cover(struct sdec_pool *decoder, const struct sdec_input *input,
                                            const struct sdec_request *request, struct sdec_bytes *bytes,
                                            struct sdec_result *result);

/* Decodes an input that gives sound, all of it, up to sdec_limits.max_output.  As sdec_decode_image() otherwise; tags
 * are told by streams alone. */
SDEC_API enum sdec_status sdec_decode_audio(struct sdec_pool *decoder, const struct sdec_input *input,
                                            const struct sdec_request *request, struct sdec_audio *audio,
                                            struct sdec_result *result);

/* The same, into memory of the caller's, of `samples_size` bytes.  The samples stay the caller's, and
 * sdec_audio_free() leaves them alone.
 *
 * SDEC_TOO_SMALL when there is more than fits: then, too, the memory has the first samples, and *audio says how many.
 * After other failures, what the memory holds is not defined. */
SDEC_API enum sdec_status sdec_decode_audio_into(struct sdec_pool *decoder, const struct sdec_input *input,
                                                 const struct sdec_request *request, void *samples, size_t samples_size,
                                                 struct sdec_audio *audio, struct sdec_result *result);
SDEC_API void sdec_audio_free(struct sdec_audio *audio);

/* Reads no more than the header, in a sandboxed child as any decode; but of sound whose header does not tell how long
 * it is, memory and regular files may be read to their end.  Success: SDEC_OK, and *info is filled. */
SDEC_API enum sdec_status sdec_probe(struct sdec_pool *decoder, const struct sdec_input *input,
                                     const struct sdec_request *request, struct sdec_info *info,
                                     struct sdec_result *result);

/* ---- streaming ---- */

/* One decode whose results are pulled while they arrive, for event loops and for outputs that do not fit memory. */
struct sdec_stream;

enum sdec_event_kind {
	SDEC_EVENT_NONE = 0,  /* nothing yet: poll sdec_stream_fd() for input, then step again */
	SDEC_EVENT_INFO = 1,  /* the header was read: `info` is set.  Comes again for each further page */
	SDEC_EVENT_FRAME = 2, /* a frame begins, which is the whole picture: `frame`, `delay_milliseconds` and the
	                       * rectangle are set */
	SDEC_EVENT_ROWS = 3,  /* rows are ready: `first_row`, `rows`, `data` and `stride` are set */
	SDEC_EVENT_BYTES = 4, /* bytes are ready: `data` and `data_size` are set */
	SDEC_EVENT_END = 5,   /* the decode is complete */
	/* Samples are ready, at most 256 KiB: `first_sample_frame`, `sample_frames`, `data` and `data_size` are set. */
	SDEC_EVENT_SAMPLES = 6,
	/* A tag of sound, before SDEC_EVENT_INFO or any time later, or of a picture, before it: `tag`, and `data` is
	 * its value, text of `data_size` bytes, 1 to 1024, none of them zero, and a zero byte after them.  It is the
	 * file's, and as untrusted as pixels are: it need not be UTF-8, and may have control sequences for terminals.
	 * At most 128 come. */
	SDEC_EVENT_TAG = 7,
	/* A part of the sound was damaged, and concealed or skipped: `losses` are so many so far. */
	SDEC_EVENT_LOSS = 8,
	/* A block of a picture that was asked for: `blob`, `data` and `data_size` are set. */
	SDEC_EVENT_BLOB = 9,
};

struct sdec_event {
	size_t size;                 /* sizeof(struct sdec_event) */
	uint32_t kind;               /* enum sdec_event_kind */
	uint32_t frame;              /* index, from 0: of all that come */
	uint32_t delay_milliseconds; /* how long to show the frame; 0: a still picture */
	uint32_t first_row;
	uint32_t rows;
	uint32_t tag;                 /* enum sdec_tag */
	size_t stride;                /* bytes from one row to the next */
	const void *data;             /* borrowed; valid until the next call on the stream */
	size_t data_size;             /* bytes, of rows the padding between them included */
	const struct sdec_info *info; /* borrowed; valid until the stream is closed */
	uint64_t first_sample_frame;  /* index, from 0 */
	uint64_t sample_frames;
	uint64_t losses;
	uint32_t x, y, width,
	        height;   /* of SDEC_EVENT_FRAME: what may differ from the frame before; of the first, all */
	uint32_t blob;    /* enum sdec_blob */
	uint32_t preview; /* of SDEC_EVENT_FRAME and SDEC_EVENT_ROWS, not 0: a coarse form of a frame, which follows */
};

/* Starts a decode.  Does not wait: `fd` inputs are only read when they have something (a regular file always has).
 *
 * Streams need no more memory however long they are.  For one without an end, such as that of a radio station, raise
 * the limits that count what has passed: max_input, max_output, cpu_seconds and work_seconds.
 *
 * Success: SDEC_OK, and *stream is the caller's until sdec_stream_close().  The decoder must outlive it, and the input
 * must stay as it is.  What is wrong with the input shows at the first step.
 * Failure: SDEC_USAGE or SDEC_IO; *stream is NULL. */
SDEC_API enum sdec_status sdec_stream_open(struct sdec_pool *decoder, const struct sdec_input *input,
                                           const struct sdec_request *request, struct sdec_stream **stream);

/* A descriptor that can be polled for input (POLLIN) with poll(), epoll or any event loop, and is readable when
 * sdec_stream_step() has something to do.  It belongs to the stream: never read, changed or closed by the caller. */
SDEC_API int sdec_stream_fd(const struct sdec_stream *stream);

/* Does what can be done without waiting, and tells the first thing that came of it.
 *
 * Success: SDEC_OK and an event.  After SDEC_EVENT_END, and after a failure, each further step says the same again.
 * Failure: any status; rows, samples and bytes that came before are good, but the whole is not. */
SDEC_API enum sdec_status sdec_stream_step(struct sdec_stream *stream, struct sdec_event *event);

/* From SDEC_EVENT_INFO until the next step: lets all rows of all frames of this page go to the caller's memory, as with
 * sdec_decode_image_into(), instead of to a window of the stream's own.  SDEC_TOO_SMALL when the picture does not fit,
 * SDEC_USAGE when it is too late. */
SDEC_API enum sdec_status sdec_stream_into(struct sdec_stream *stream, void *pixels, size_t pixels_size, size_t stride);

/* How the stream stands: as sdec_result of the one-call functions.  Before the end, the status is SDEC_OK. */
SDEC_API void sdec_stream_result(const struct sdec_stream *stream, struct sdec_result *result);

/* What the kernel said about this stream's decoder.  Zero until it has one. */
SDEC_API void sdec_stream_posture(const struct sdec_stream *stream, struct sdec_posture *posture);

/* Ends the decode, wherever it is, frees the stream and sets *stream to NULL.  Does not wait.  NULL and a pointer to
 * NULL are allowed. */
SDEC_API void sdec_stream_close(struct sdec_stream **stream);

/* ---- about ---- */

/* Makes a child of the decoder for `format` (NULL: jpeg) and tells what the kernel says about it.  Blocks.  SDEC_OK,
 * SDEC_NO_SANDBOX, SDEC_UNSUPPORTED, SDEC_USAGE or SDEC_IO. */
SDEC_API enum sdec_status sdec_pool_posture(struct sdec_pool *decoder, const char *format,
                                            struct sdec_posture *posture);

/* One-word name of a status: "malformed".  Static.  "unknown" for a number that is none. */
SDEC_API const char *sdec_status_name(enum sdec_status status);

/* Name of a tag: "album_artist".  Static.  "unknown" for a number that is none. */
SDEC_API const char *sdec_tag_name(enum sdec_tag tag);

/* A format, and whether it can be decoded here and now. */
struct sdec_format_info {
	size_t size;             /* sizeof(struct sdec_format_info) */
	const char *name;        /* static: "jpeg", as in sdec_request.format */
	const char *description; /* static, one line */
	const char *mime;        /* static: its types of media, separated by spaces, the usual one first; "" if none */
	const char *extensions;  /* static: of file names, separated by spaces, the usual one first; "" if none */
	const char *library; /* static: the codec library that decodes it, and its version: "libpng 1.6.39"; NULL where
	                      * it is not available */
	const char *reason;  /* static: why it is not available; NULL: it is */
	uint32_t kind;       /* enum sdec_kind: what it gives */
	uint32_t available;  /* not 0: its decoder is installed, starts, and is of this version */
};

/* Tells all about the format by index, from 0.  Starts its decoder program for that, which ends at once; blocks for so
 * long.  SDEC_OK, whether it is available or not; SDEC_USAGE past the last format, and where an argument is wrong. */
SDEC_API enum sdec_status sdec_pool_format(struct sdec_pool *decoder, size_t index, struct sdec_format_info *info);

/* Name of the format by index, as in sdec_request.format; NULL past the last.  Static. */
SDEC_API const char *sdec_format_name(size_t index);

/* The version of this header; sdec_version() is that of the library that is running. */
#define SDEC_VERSION_MAJOR 0
#define SDEC_VERSION_MINOR 3
#define SDEC_VERSION_PATCH 0
#define SDEC_VERSION_STRING "0.3.0"

/* Version of the library that is running: "0.3.0".  Static. */
SDEC_API const char *sdec_version(void);

#ifdef __cplusplus
}
#endif

#endif
