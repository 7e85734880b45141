/* SPDX-License-Identifier: MIT */
/* What the files of the PCM decoder share: the containers WAV, AIFF and AU, and what is in them. */
#ifndef SAFE_DECODE_PCM_H
#define SAFE_DECODE_PCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/decoder.h"
#include "decoders/runtime/input.h"
#include "decoders/sound/tags.h"

enum pcm_encoding {
	PCM_SIGNED,
	PCM_UNSIGNED,
	PCM_FLOAT,
	PCM_ALAW,
	PCM_MULAW,
	PCM_IMA_WAV, /* blocks with a header a channel, the channels in turns of 4 bytes */
	PCM_IMA_QT,  /* a packet of 34 bytes a channel */
	PCM_MS,
};

enum {
	PCM_MS_COEFFICIENTS = 64, /* pairs, at most; every file has the same 7 */
	PCM_QT_PACKET = 34,
	PCM_QT_FRAMES = 64,
	PCM_BLOCK_MAX = 64 << 10, /* bytes of a block: what the 16 bits of a WAV header can say */
};

enum pcm_chunks {
	PCM_NO_CHUNKS,
	PCM_LITTLE_CHUNKS, /* their sizes are little-endian */
	PCM_BIG_CHUNKS,
};

struct pcm {
	struct input input;
	struct cover cover;
	struct wire_audio audio; /* rate, channels, depth, channel_layout, flags: set by the container */

	enum pcm_encoding encoding;
	bool big_endian;
	uint32_t width;      /* bytes of a sample; not for ADPCM */
	uint32_t above;      /* bits of them above the sample; else it is at the top */
	bool wide_container; /* 24 bits in 32, and nobody says which */
	uint32_t block_size; /* bytes of the smallest piece that can be decoded: a sample frame, or a block of ADPCM */
	uint32_t block_frames; /* sample frames in it: 1, or more of ADPCM */
	int16_t coefficients[PCM_MS_COEFFICIENTS][2];
	uint32_t coefficient_count;

	uint64_t size;          /* bytes of samples; WIRE_UNKNOWN: all that come */
	bool open_ended;        /* the header did not tell the size: it is not known, or was found by reading on */
	uint64_t guess;         /* where it is not known: a chunk may follow after so many bytes; 0: never */
	enum pcm_chunks chunks; /* that may follow the samples */
	uint64_t frames;        /* sample frames, where the container says so besides; else WIRE_UNKNOWN */
	bool empty;             /* the container says that there are none */
	bool has_format;        /* encoding and the rest are set */
	bool has_data;          /* the samples were found */
	uint8_t *kept;          /* owned; samples that came before the format, or NULL */
};

/* Read a container as far as its samples, tell the tags that come before, and describe the samples.  When the caller
 * wants only information or the cover, they pass over the samples and read on as far as that is worth it.  Return
 * WIRE_OK or a failure. */
session_result pcm_read_wav(struct pcm *pcm);
session_result pcm_read_aiff(struct pcm *pcm);
session_result pcm_read_au(struct pcm *pcm);

/* For containers at their samples, once `chunks` is set: takes `size` for that of the samples, if it is one. */
void pcm_set_size(struct pcm *pcm, uint64_t size);

/* For containers, once that was done: whether to read on behind the samples, for tags, a cover, or their size. */
bool pcm_wants_rest(const struct pcm *pcm);

/* As above, and if so, passes over the samples. */
bool pcm_pass_samples(struct pcm *pcm);

/* Sets encoding, width, block and depth for samples that stand alone: not ADPCM.  `valid` is how many bits of a linear
 * sample mean something. */
void pcm_set_linear(struct pcm *pcm, enum pcm_encoding encoding, uint32_t width, uint32_t valid, bool big_endian);

/* Takes `size` bytes of text off the input and tells it. */
void pcm_take_text(struct pcm *pcm, enum wire_tag tag, uint64_t size);

/* Decode one block of ADPCM to interleaved samples of 16 bits.  Return how many sample frames there were in `size`
 * bytes: fewer than usual in a last block that is not whole. */
size_t pcm_decode_ms(const struct pcm *pcm, const uint8_t *block, size_t size, int32_t *samples);
size_t pcm_decode_ima_wav(const struct pcm *pcm, const uint8_t *block, size_t size, int32_t *samples);
size_t pcm_decode_ima_qt(const struct pcm *pcm, const uint8_t *block, size_t size, int32_t *samples);

/* Sample frames that a block of so many bytes has. */
size_t pcm_ms_frames(uint32_t channels, size_t size);
size_t pcm_ima_wav_frames(uint32_t channels, size_t size);

#endif
