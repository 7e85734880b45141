/* SPDX-License-Identifier: MIT */
#include "describe.h"

#include <string.h>

#include "broker/decode/channels.h"
#include "broker/wire/pixel_forms.h"

/* The public numbers are those of the wire; of sample formats, one more. */
_Static_assert((int)SDEC_RGBA16 == (int)WIRE_RGBA16 && (int)SDEC_GRAY_ALPHA == (int)WIRE_GRAY_ALPHA &&
                       (int)SDEC_RGBA_F32 == (int)WIRE_RGBA_F32 && (int)SDEC_RGBA_F32 + 1 == (int)WIRE_PIXEL_FORMATS &&
                       (int)SDEC_COLOR_PALETTE == (int)WIRE_COLOR_PALETTE,
               "pixel formats and colours");
_Static_assert((int)SDEC_S16 == (int)WIRE_S16 + 1 && (int)SDEC_F32 == (int)WIRE_F32 + 1 &&
                       (int)SDEC_F32 == (int)WIRE_SAMPLE_FORMATS,
               "sample formats");
_Static_assert((int)SDEC_TOP_BACK_RIGHT == (int)WIRE_TOP_BACK_RIGHT && SDEC_CHANNELS_MAX == WIRE_CHANNELS_MAX,
               "speakers");
_Static_assert((int)SDEC_TAG_ENCODER == (int)WIRE_TAG_ENCODER && (int)SDEC_TAG_PROFILE == (int)WIRE_TAG_PROFILE &&
                       (int)SDEC_TAG_PROFILE + 1 == (int)WIRE_TAGS,
               "tags");
_Static_assert((int)SDEC_BLOB_XMP == (int)WIRE_BLOB_XMP && (int)SDEC_BLOB_XMP + 1 == (int)WIRE_BLOBS, "blocks");
_Static_assert(SDEC_NOTE_TRAILING == WIRE_NOTE_TRAILING && SDEC_NOTE_WARNING == WIRE_NOTE_WARNINGS &&
                       SDEC_NOTE_END == WIRE_NOTE_END && SDEC_NOTE_WINDOW == WIRE_NOTE_WINDOW,
               "notes");
_Static_assert(SDEC_UNKNOWN == WIRE_UNKNOWN, "lengths");

_Static_assert((int)SDEC_FIT_COVER == (int)WIRE_FIT_COVER && (int)SDEC_FIT_COVER + 1 == (int)WIRE_FITS, "fits");

uint32_t describe_orientation(const struct wire_image *image)
{
	return image->flags & WIRE_IMAGE_UPRIGHT ? 1 : image->orientation;
}

void describe_image(struct sdec_info *info, const struct wire_image *image)
{
	info->kind = SDEC_KIND_IMAGE;
	info->width = image->width;
	info->height = image->height;
	info->channels = image->channels;
	info->depth = image->depth;
	info->color = image->color;
	info->has_alpha = (image->flags & WIRE_IMAGE_ALPHA) != 0;
	info->progressive = (image->flags & WIRE_IMAGE_PROGRESSIVE) != 0;
	info->has_profile = (image->flags & WIRE_IMAGE_ICC) != 0;
	info->frames = image->frames;
	info->animated = (image->flags & WIRE_IMAGE_ANIMATION) != 0;
	info->loops = image->loops;
	info->orientation = image->orientation;
	info->upright = (image->flags & WIRE_IMAGE_UPRIGHT) != 0;
	info->has_float = (image->flags & WIRE_IMAGE_FLOAT) != 0;
	info->native_format = wire_choose_format(image, WIRE_FORMAT_BIT(WIRE_PIXEL_FORMATS) - 1);
}

void describe_audio(struct sdec_info *info, const struct wire_audio *audio)
{
	enum wire_speaker order[WIRE_CHANNELS_MAX];
	size_t known = channels_order(audio, order);

	info->kind = SDEC_KIND_AUDIO;
	info->rate = audio->rate;
	info->channels = audio->channels;
	info->depth = audio->depth;
	info->sample_format = audio->sample_format + 1;
	info->sample_frames = audio->frames;
	info->channel_layout = audio->channel_layout;
	info->has_float = (audio->flags & WIRE_AUDIO_FLOAT) != 0;
	info->lossy = (audio->flags & WIRE_AUDIO_LOSSY) != 0;
	info->has_cover = (audio->flags & WIRE_AUDIO_COVER) != 0;
	for (uint32_t channel = 0; channel < audio->channels; channel++)
		info->speakers[channel] = channel < known ? (uint8_t)order[channel] : (uint8_t)SDEC_SPEAKER_UNKNOWN;
}

uint32_t describe_wanted_samples(uint32_t format)
{
	if (format == SDEC_SAMPLES_NATIVE)
		return WIRE_FORMAT_BIT(WIRE_SAMPLE_FORMATS) - 1;
	return format <= WIRE_SAMPLE_FORMATS ? WIRE_FORMAT_BIT(format - 1) : 0;
}

size_t describe_frame_bytes(const struct sdec_info *info)
{
	return (size_t)info->channels * wire_sample_bytes[info->sample_format - 1];
}
