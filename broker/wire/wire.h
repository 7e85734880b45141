/* SPDX-License-Identifier: MIT */
/*
 * The wire between the trusted side and one locked-down decoder child.
 *
 * Input pipe:   one struct wire_request, then the compressed bytes until end of file; or, with WIRE_RANDOM, the answer
 *               to each READ, a struct wire_part and so many bytes.
 * Output pipe:  messages, each a struct wire_header and its payload:
 *
 *     HELLO                                    once, before anything else: "I am locked down"
 *     (METADATA | BLOB BLOB_DATA*)*            tags and blocks of a picture that were asked for
 *     (IMAGE (FRAME PIXELS*)*)*                what was decoded: a picture, perhaps after coarse forms of it, which
 *                                              are frames, too; another IMAGE for each further page,
 *     AUDIO SAMPLES*                           sound, with METADATA before it and in it, and LOSS in it,
 *     BYTES DATA*                              or a stream of bytes
 *     [DAMAGE]                                 only if WIRE_PARTIAL was asked for
 *     END | FAIL | FORBIDDEN                   the decode is over; FORBIDDEN only if WIRE_DIAGNOSE was asked for
 *
 * and READ anywhere between HELLO and the end or DAMAGE, if WIRE_RANDOM was offered, but not before the answer to the
 * last one has come.
 *
 * All integers are little-endian, all structs have a fixed size and no padding.  There are no pointers.  The only text
 * is that of METADATA, which is as untrusted as pixels are: it is data, to be escaped where it is shown.
 * This header is the only thing that broker/ and decoders/ share.
 */
#ifndef SAFE_DECODE_WIRE_H
#define SAFE_DECODE_WIRE_H

#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the wire is little-endian and its structs are used as they are");

#define WIRE_VERSION 5u

/* Pixel formats.  Bytes in memory order, rows packed without padding, top row first, alpha not premultiplied unless
 * named so.  Samples of more than 8 bits are in the machine's order: integers, or IEEE 754 floats, whose colours are
 * linear light and may be any value. */
enum wire_pixel_format {
	WIRE_BGRA,
	WIRE_RGBA,
	WIRE_BGRA_PREMULTIPLIED,
	WIRE_RGBA_PREMULTIPLIED,
	WIRE_RGB,
	WIRE_BGR,
	WIRE_GRAY,
	WIRE_RGBA16,
	WIRE_GRAY_ALPHA,
	WIRE_GRAY16,
	WIRE_GRAY_ALPHA16,
	WIRE_RGB16,
	WIRE_RGBA_F16, /* half floats */
	WIRE_RGBA_F32,
	WIRE_PIXEL_FORMATS, /* how many there are */
};

/* Bytes a pixel of each format takes, and the most. */
static const uint8_t wire_pixel_bytes[WIRE_PIXEL_FORMATS] = { 4, 4, 4, 4, 3, 3, 1, 8, 2, 2, 4, 6, 8, 16 };
#define WIRE_PIXEL_BYTES_MAX 16

/* Sample formats.  Little-endian, the channels interleaved: one sample of each is a sample frame. */
enum wire_sample_format {
	WIRE_S16,
	WIRE_S24, /* three bytes */
	WIRE_S32,
	WIRE_F32,            /* IEEE 754; full scale is -1 to 1 */
	WIRE_SAMPLE_FORMATS, /* how many there are */
};

/* Bytes a sample of each format takes. */
static const uint8_t wire_sample_bytes[WIRE_SAMPLE_FORMATS] = { 2, 3, 4, 4 };

#define WIRE_FORMAT_BIT(format) (UINT32_C(1) << (format))

enum wire_operation {
	WIRE_DECODE = 1,
	WIRE_INFO = 2,  /* METADATA, IMAGE, AUDIO or BYTES, then END: nothing is decoded */
	WIRE_COVER = 3, /* BYTES and DATA are the picture that is embedded in the input, as it is */
};

/* wire_request.flags */
#define WIRE_PARTIAL UINT32_C(1)   /* after damage, keep what was decoded: DAMAGE and END instead of FAIL */
#define WIRE_STRICT UINT32_C(2)    /* take what could be concealed, skipped or passed over for damage: no LOSS */
#define WIRE_FINITE UINT32_C(4)    /* the input is a file, so that WIRE_INFO may read it to its end */
#define WIRE_DIAGNOSE UINT32_C(8)  /* a system call that the sandbox forbids is told: FORBIDDEN */
#define WIRE_RANDOM UINT32_C(16)   /* the input does not follow: READ asks for parts of its input_total bytes */
#define WIRE_TAGS_TOO UINT32_C(32) /* the tags of a picture are wanted; those of sound always come */
#define WIRE_BLOB_FLAG(blob) (UINT32_C(64) << (blob)) /* this block of a picture is wanted */
#define WIRE_UPRIGHT UINT32_C(512)                    /* the picture is wanted turned as its orientation says */
#define WIRE_ENLARGE UINT32_C(1024) /* a picture that is smaller than the box it is to fit is made larger */
#define WIRE_FLATTEN UINT32_C(2048) /* transparent pixels are wanted on the background */
#define WIRE_PREVIEW UINT32_C(4096) /* coarse forms of a progressive picture may come before its frame */
#define WIRE_FLAGS UINT32_C(8191)   /* all that are defined */

/* How a picture fits a box. */
enum wire_fit {
	WIRE_FIT_INSIDE, /* it keeps its shape, and one of its sides may be shorter than the box */
	WIRE_FIT_EXACT,  /* it takes the size of the box, and is stretched */
	WIRE_FIT_COVER,  /* it keeps its shape, and what sticks out of the box is cut off on both sides alike */
	WIRE_FITS,
};

/* What is wanted of a picture, in this order: of the picture as it is shown, a region; this at 1/scale, or so that it
 * fits a box; and that on a background. */
struct wire_view {
	uint32_t crop_x, crop_y;          /* pixels, from the top left corner */
	uint32_t crop_width, crop_height; /* what sticks out of the picture is left out; 0, both: all of it */
	uint32_t fit_width, fit_height;   /* pixels; 0, one or both: any */
	uint32_t fit;                     /* enum wire_fit */
	uint32_t background;              /* 0xRRGGBB, of sRGB, if WIRE_FLATTEN */
};

struct wire_request {
	uint32_t version;       /* WIRE_VERSION */
	uint32_t operation;     /* enum wire_operation */
	uint32_t variant;       /* which of its program's formats the input is; see broker/recognise/registry.c */
	uint32_t pixel_formats; /* bit set of formats that the caller can take; the child picks the one that loses least
	                         */
	uint32_t flags;
	uint32_t max_side;       /* pixels */
	uint32_t max_frames;     /* frames or pages wanted; the child sends no more */
	uint32_t max_metadata;   /* bytes of one ancillary block that the child may hold or send, and of all METADATA
	                          * values
	                          */
	uint64_t max_pixels;     /* over all frames */
	uint64_t max_output;     /* bytes of pixels, samples or data */
	uint32_t scale;          /* width and height are wanted at 1/scale, rounded up: 1, 2, 4 or 8; 1 with a box */
	uint32_t sample_formats; /* as pixel_formats; 0: the caller takes no audio */
	uint64_t input_total;    /* bytes; 0: not known, the pipe ends after the last */
	uint32_t first_frame;    /* index of the first frame or page wanted, from 0 */
	uint32_t reserved;
	struct wire_view view;
};
_Static_assert(sizeof(struct wire_request) == 104, "no padding");

enum wire_kind {
	WIRE_HELLO = 1,
	WIRE_IMAGE,
	WIRE_FRAME,
	WIRE_PIXELS, /* length bytes of the current frame, at most what it lacks */
	WIRE_BYTES,  /* empty: what follows is a stream of bytes */
	WIRE_DATA,   /* length bytes of the stream */
	WIRE_DAMAGE,
	WIRE_END,
	WIRE_FAIL,
	WIRE_AUDIO,
	WIRE_SAMPLES,   /* length bytes, whole sample frames */
	WIRE_METADATA,  /* a tag; at most WIRE_METADATA_MAX of them */
	WIRE_LOSS,      /* never if WIRE_STRICT was asked for */
	WIRE_FORBIDDEN, /* only if WIRE_DIAGNOSE was asked for: the decode is over */
	WIRE_READ,      /* only if WIRE_RANDOM was offered */
	WIRE_BLOB,      /* a block of a picture, only if it was asked for, and once */
	WIRE_BLOB_DATA, /* length bytes of it, at most what it lacks */
	WIRE_KINDS,     /* how many there are, and 1 */
};

struct wire_header {
	uint32_t kind;   /* enum wire_kind */
	uint32_t length; /* bytes of payload that follow */
};

#define WIRE_BULK_MAX (UINT32_C(8) << 20) /* longest PIXELS, SAMPLES or DATA payload, bytes */
/* Largest max_side: a row of any pixel format fits one message. */
#define WIRE_SIDE_MAX (WIRE_BULK_MAX / WIRE_PIXEL_BYTES_MAX)

struct wire_hello {
	uint32_t version; /* WIRE_VERSION */
};

#define WIRE_DEPTH_MAX UINT32_C(64)

/* How the file stores colour. */
enum wire_color {
	WIRE_COLOR_GRAY,
	WIRE_COLOR_RGB,
	WIRE_COLOR_YCBCR,
	WIRE_COLOR_CMYK,
	WIRE_COLOR_YCCK,
	WIRE_COLOR_PALETTE,
	WIRE_COLORS,
};

/* wire_image.flags */
#define WIRE_IMAGE_ALPHA UINT32_C(1)       /* some pixels may be transparent */
#define WIRE_IMAGE_PROGRESSIVE UINT32_C(2) /* progressive or interlaced */
#define WIRE_IMAGE_ICC UINT32_C(4)         /* carries an ICC profile (not applied) */
#define WIRE_IMAGE_ARITHMETIC UINT32_C(8)  /* arithmetic entropy coding */
#define WIRE_IMAGE_ANIMATION UINT32_C(16)  /* frames follow one another in time; else each is a page */
#define WIRE_IMAGE_FLOAT UINT32_C(32)      /* the file's samples are floating point */
#define WIRE_IMAGE_UPRIGHT UINT32_C(64)    /* turned as the orientation says; only if that was asked for */
#define WIRE_IMAGE_FLAGS UINT32_C(127)     /* all that are defined */

struct wire_image {
	uint32_t width;        /* pixels, 1 or more */
	uint32_t height;       /* pixels, 1 or more */
	uint32_t pixel_format; /* enum wire_pixel_format, one of those asked for */
	uint32_t frames;       /* frames or pages in the file, as far as it says so; 0: not known */
	uint32_t loops;        /* how often an animation is shown; 0: without end, and of pages */
	uint32_t color;        /* enum wire_color */
	uint32_t channels;     /* samples a pixel in the file, alpha included: 1 to 4 */
	uint32_t depth;        /* bits a sample in the file: 1 to WIRE_DEPTH_MAX */
	uint32_t flags;
	uint32_t orientation; /* EXIF: 1 to 8, or 0 when the file does not say */
};
_Static_assert(sizeof(struct wire_image) == 40, "no padding");

/* wire_frame.flags */
#define WIRE_FRAME_PREVIEW UINT32_C(1) /* a coarse form of the picture's first frame, which follows; if asked for */
#define WIRE_FRAME_FLAGS UINT32_C(1)   /* all that are defined */

#define WIRE_PREVIEWS_MAX 8 /* of a picture */

/* A frame is the whole picture.  The rectangle holds what may differ from the frame before: of the first, all. */
struct wire_frame {
	uint32_t delay; /* how long to show it, milliseconds; 0 for a still picture */
	uint32_t x, y, width, height;
	uint32_t flags;
};
_Static_assert(sizeof(struct wire_frame) == 24, "no padding");

#define WIRE_RATE_MAX UINT32_C(1048575) /* what the 20 bits of FLAC can say */
#define WIRE_CHANNELS_MAX UINT32_C(64)
#define WIRE_UNKNOWN UINT64_MAX

/* Where a channel belongs: the speakers of WAVE_FORMAT_EXTENSIBLE.  Channels come in this order, unless
 * WIRE_AUDIO_VORBIS_ORDER says otherwise. */
enum wire_speaker {
	WIRE_FRONT_LEFT,
	WIRE_FRONT_RIGHT,
	WIRE_FRONT_CENTER,
	WIRE_LOW_FREQUENCY,
	WIRE_BACK_LEFT,
	WIRE_BACK_RIGHT,
	WIRE_FRONT_LEFT_OF_CENTER,
	WIRE_FRONT_RIGHT_OF_CENTER,
	WIRE_BACK_CENTER,
	WIRE_SIDE_LEFT,
	WIRE_SIDE_RIGHT,
	WIRE_TOP_CENTER,
	WIRE_TOP_FRONT_LEFT,
	WIRE_TOP_FRONT_CENTER,
	WIRE_TOP_FRONT_RIGHT,
	WIRE_TOP_BACK_LEFT,
	WIRE_TOP_BACK_CENTER,
	WIRE_TOP_BACK_RIGHT,
	WIRE_SPEAKERS,
};

#define WIRE_SPEAKER_BIT(speaker) (UINT32_C(1) << (speaker))

/* wire_audio.flags */
#define WIRE_AUDIO_FLOAT UINT32_C(1)        /* the file's samples are floating point */
#define WIRE_AUDIO_LOSSY UINT32_C(2)        /* the codec is lossy: the depth is that of what it gives */
#define WIRE_AUDIO_COVER UINT32_C(4)        /* carries a picture, as far as is known at this point */
#define WIRE_AUDIO_VORBIS_ORDER UINT32_C(8) /* the channels come as Vorbis orders them; of 1 to 8 */
#define WIRE_AUDIO_FLAGS UINT32_C(15)       /* all that are defined */

struct wire_audio {
	uint32_t rate;           /* sample frames a second: 1 to WIRE_RATE_MAX */
	uint32_t channels;       /* 1 to WIRE_CHANNELS_MAX */
	uint32_t sample_format;  /* enum wire_sample_format, one of those asked for */
	uint32_t depth;          /* bits a sample in the file: 1 to WIRE_DEPTH_MAX */
	uint32_t channel_layout; /* WIRE_SPEAKER_BIT()s, as many as there are channels; 0: nobody says */
	uint32_t flags;
	uint64_t frames; /* sample frames, as far as the file says, else WIRE_UNKNOWN.  There may be more or fewer. */
};
_Static_assert(sizeof(struct wire_audio) == 32, "no padding");

/* What a METADATA message tells. */
enum wire_tag {
	WIRE_TAG_TITLE,
	WIRE_TAG_ARTIST,
	WIRE_TAG_ALBUM,
	WIRE_TAG_ALBUM_ARTIST,
	WIRE_TAG_COMPOSER,
	WIRE_TAG_PERFORMER,
	WIRE_TAG_TRACK,
	WIRE_TAG_DISC,
	WIRE_TAG_DATE,
	WIRE_TAG_GENRE,
	WIRE_TAG_COMMENT,
	WIRE_TAG_COPYRIGHT,
	WIRE_TAG_PUBLISHER,
	WIRE_TAG_ISRC,
	WIRE_TAG_LANGUAGE,
	WIRE_TAG_ENCODER,
	WIRE_TAG_DESCRIPTION, /* this and all that follow: of pictures */
	WIRE_TAG_SOFTWARE,
	WIRE_TAG_MAKE, /* of the camera */
	WIRE_TAG_MODEL,
	WIRE_TAG_LENS,
	WIRE_TAG_TAKEN,        /* when: "2004:08:27 13:52:55" */
	WIRE_TAG_EXPOSURE,     /* seconds: "1/250" */
	WIRE_TAG_APERTURE,     /* the f-number: "2.8" */
	WIRE_TAG_ISO,          /* "100" */
	WIRE_TAG_FOCAL_LENGTH, /* millimetres: "35" */
	WIRE_TAG_POSITION,     /* degrees of latitude and longitude: "-33.856800,151.215300" */
	WIRE_TAG_DENSITY,      /* dots an inch, across and down: "300x300" */
	WIRE_TAG_PROFILE,      /* the name of the colour space */
	WIRE_TAGS,
};

#define WIRE_VALUE_MAX 1024   /* bytes of a value; a longer one is cut */
#define WIRE_METADATA_MAX 128 /* messages */

/* The only message of variable length that is not bulk. */
struct wire_metadata {
	uint32_t tag;                  /* enum wire_tag; one may come more than once */
	uint8_t value[WIRE_VALUE_MAX]; /* 1 byte or more and no zero byte; UTF-8 as far as the file has it */
};

/* Blocks of a picture, as they are in the file. */
enum wire_blob_kind {
	WIRE_BLOB_ICC,  /* a colour profile */
	WIRE_BLOB_EXIF, /* from the TIFF header on */
	WIRE_BLOB_XMP,
	WIRE_BLOBS,
};

struct wire_blob {
	uint32_t kind; /* enum wire_blob_kind */
	uint32_t size; /* bytes, 1 to max_metadata, that follow in BLOB_DATA */
};

/* Sent whenever a part of the stream was damaged and the codec concealed or skipped it. */
struct wire_loss {
	uint64_t parts; /* how many so far: more than the last time */
};

/* The system call for which the decoder was stopped, as it says. */
struct wire_forbidden {
	uint32_t architecture; /* AUDIT_ARCH_... */
	uint32_t system_call;
};

#define WIRE_READ_MAX (UINT32_C(1) << 20) /* longest part, bytes */

/* Asks for a part of the input. */
struct wire_read {
	uint64_t offset; /* any: nothing is behind the input's end */
	uint32_t length; /* bytes, 1 to WIRE_READ_MAX */
	uint32_t reserved;
};
_Static_assert(sizeof(struct wire_read) == 16, "no padding");

/* On the input pipe, the answer; its bytes follow. */
struct wire_part {
	uint32_t length; /* as asked for, or what is there: the input ends before, or has become shorter */
};

/* wire_end.notes: what was odd but cost no pixel. */
#define WIRE_NOTE_TRAILING UINT32_C(1) /* bytes follow the end of the picture or stream */
#define WIRE_NOTE_WARNINGS UINT32_C(2) /* the codec warned about something that it could pass over */
#define WIRE_NOTE_END UINT32_C(4)      /* the end of the picture's file is missing or wrong; no pixel is */
#define WIRE_NOTE_WINDOW UINT32_C(8)   /* the data needs a larger window than it says; no pixel is missing */
#define WIRE_NOTES UINT32_C(15)        /* all that are defined */

struct wire_end {
	uint32_t notes;
};

/* Why a decode failed or is damaged.  A closed list: broker/wire/status.c gives each its exit code and its words. */
enum wire_failure {
	WIRE_OK,
	WIRE_FAIL_EMPTY,       /* no bytes at all */
	WIRE_FAIL_SIGNATURE,   /* does not start like its format */
	WIRE_FAIL_TRUNCATED,   /* ends early */
	WIRE_FAIL_HEADER,      /* a header field has an impossible value */
	WIRE_FAIL_STRUCTURE,   /* parts are missing, doubled, or in the wrong order */
	WIRE_FAIL_DATA,        /* the compressed data is not valid */
	WIRE_FAIL_CHECKSUM,    /* a CRC or Adler checksum differs */
	WIRE_FAIL_LENGTH,      /* a stored length differs */
	WIRE_FAIL_TRAILING,    /* bytes follow the end that are no part of the stream */
	WIRE_FAIL_UNSUPPORTED, /* valid perhaps, but a variant that the codec does not decode */
	WIRE_FAIL_LIMIT_SIDE,
	WIRE_FAIL_LIMIT_PIXELS,
	WIRE_FAIL_LIMIT_OUTPUT,
	WIRE_FAIL_LIMIT_MEMORY,
	WIRE_FAIL_LIMIT_METADATA,
	WIRE_FAIL_ABSENT, /* what was asked for is not in the input: it has no cover */
	WIRE_FAIL_FRAME,  /* likewise: it has fewer frames or pages */
	WIRE_FAIL_REGION, /* likewise: the picture does not reach that far */
	/* Variants and parts that have a name. */
	WIRE_FAIL_JPEG_LOSSLESS,                /* SOF3 */
	WIRE_FAIL_JPEG_LOSSLESS_ARITHMETIC,     /* SOF11 */
	WIRE_FAIL_JPEG_HIERARCHICAL,            /* DHP, SOF5 to SOF7 */
	WIRE_FAIL_JPEG_HIERARCHICAL_ARITHMETIC, /* SOF13 to SOF15 */
	WIRE_FAIL_JPEG_ARITHMETIC,              /* the library was built without */
	WIRE_FAIL_JPEG_12_BITS,                 /* a sample */
	WIRE_FAIL_JPEG_DNL,                     /* the height follows the first scan */
	WIRE_FAIL_PNG_CGBI,                     /* what Xcode makes of a PNG */
	WIRE_FAIL_PNG_TEXT_IN_DATA,             /* a chunk of this kind between those of the image data */
	WIRE_FAIL_PNG_ZTXT_IN_DATA,
	WIRE_FAIL_PNG_ITXT_IN_DATA,
	WIRE_FAIL_PNG_CHUNK_IN_DATA, /* any other kind */
	WIRE_FAIL_WINDOW,            /* a larger window than the library can have, whatever memory there is */
	WIRE_FAIL_EXR_DWAA,
	WIRE_FAIL_EXR_DWAB,
	WIRE_FAIL_EXR_DEEP,
	WIRE_FAIL_EXR_CHANNELS, /* of colour: there are none */
	WIRE_FAILURES,
};

/* The payload of DAMAGE and of FAIL. */
struct wire_fail {
	uint32_t failure; /* enum wire_failure, not WIRE_OK */
	uint32_t reserved;
	uint64_t detail; /* of WIRE_FAIL_LIMIT_MEMORY: bytes that would be enough; 0: not known.  Only a number to show
	                  */
};
_Static_assert(sizeof(struct wire_fail) == 16, "no padding");

#endif
