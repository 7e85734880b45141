/* SPDX-License-Identifier: MIT */
/* A consumer that checks what the wire reader promises: called in order, with sizes that add up. */
#ifndef SAFE_DECODE_FUZZ_CONSUMER_H
#define SAFE_DECODE_FUZZ_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/wire/reader.h"
#include "hash.h"

#define REQUIRE(condition)                                                                                             \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

struct checked {
	struct wire_request request;
	struct wire_image image;
	bool hello, announced, reserved, ended;
	size_t sample_frame; /* bytes; 0 without audio */
	uint64_t losses;
	uint32_t tags, tag_bytes;
	uint32_t blobs;                   /* WIRE_BLOB_FLAG()s of those that came */
	size_t blob_left;                 /* bytes of the last */
	uint32_t frames, frames_of_image; /* without previews */
	bool previewing;
	uint64_t pixels;     /* of all frames */
	uint64_t frame_left; /* bytes */
	uint64_t total;      /* bytes */
	uint64_t hash;       /* of these bytes, but for the start */
	size_t room;
	uint8_t buffer[5000]; /* not a multiple of any row */
};

static struct outcome checked_hello(void *context)
{
	struct checked *checked = context;

	REQUIRE(!checked->hello);
	checked->hello = true;
	return outcome_ok();
}

static struct outcome checked_image(void *context, const struct wire_image *image)
{
	struct checked *checked = context;

	REQUIRE(checked->blob_left == 0);
	REQUIRE(checked->hello && (!checked->announced || checked->frames_of_image == 1));
	REQUIRE(!checked->announced || !((image->flags | checked->image.flags) & WIRE_IMAGE_ANIMATION));
	REQUIRE(checked->frame_left == 0 && checked->frames < checked->request.max_frames);
	REQUIRE(image->width >= 1 && image->width <= checked->request.max_side);
	REQUIRE(image->height >= 1 && image->height <= checked->request.max_side);
	REQUIRE(checked->request.pixel_formats & WIRE_FORMAT_BIT(image->pixel_format));
	checked->announced = true;
	checked->frames_of_image = 0;
	checked->image = *image;
	return outcome_ok();
}

static struct outcome checked_frame(void *context, const struct wire_frame *frame)
{
	struct checked *checked = context;

	bool preview = (frame->flags & WIRE_FRAME_PREVIEW) != 0;

	REQUIRE(checked->announced && checked->frame_left == 0 && checked->frames < checked->request.max_frames);
	REQUIRE(!preview || ((checked->request.flags & WIRE_PREVIEW) && checked->frames_of_image == 0));
	checked->previewing = preview;
	REQUIRE(checked->frames_of_image == 0 || (checked->image.flags & WIRE_IMAGE_ANIMATION));
	REQUIRE((uint64_t)frame->x + frame->width <= checked->image.width);
	REQUIRE((uint64_t)frame->y + frame->height <= checked->image.height);
	checked->frames += !preview;
	checked->frames_of_image += !preview;
	checked->pixels += (uint64_t)checked->image.width * checked->image.height;
	REQUIRE(checked->pixels <= checked->request.max_pixels);
	checked->frame_left =
	        (uint64_t)checked->image.width * checked->image.height * wire_pixel_bytes[checked->image.pixel_format];
	return outcome_ok();
}

static struct outcome checked_bytes(void *context)
{
	struct checked *checked = context;

	REQUIRE(checked->hello && !checked->announced);
	checked->announced = true;
	checked->frame_left = UINT64_MAX;
	return outcome_ok();
}

static struct outcome checked_audio(void *context, const struct wire_audio *audio)
{
	struct checked *checked = context;
	uint32_t layout = audio->channel_layout;

	REQUIRE(checked->hello && !checked->announced && checked->request.operation != WIRE_COVER);
	REQUIRE(audio->rate >= 1 && audio->rate <= WIRE_RATE_MAX && audio->depth >= 1);
	REQUIRE(audio->channels >= 1 && audio->channels <= WIRE_CHANNELS_MAX);
	REQUIRE(layout == 0 || (uint32_t)__builtin_popcount(layout) == audio->channels);
	REQUIRE(checked->request.sample_formats & WIRE_FORMAT_BIT(audio->sample_format));
	checked->announced = true;
	checked->frame_left = UINT64_MAX;
	checked->sample_frame = (size_t)audio->channels * wire_sample_bytes[audio->sample_format];
	return outcome_ok();
}

static struct outcome checked_metadata(void *context, enum wire_tag tag, const char *value, size_t size)
{
	struct checked *checked = context;

	REQUIRE(checked->hello && !checked->ended && tag < WIRE_TAGS);
	REQUIRE(size >= 1 && size <= WIRE_VALUE_MAX && strlen(value) == size);
	checked->tag_bytes += (uint32_t)size;
	REQUIRE(++checked->tags <= WIRE_METADATA_MAX && checked->tag_bytes <= checked->request.max_metadata);
	return outcome_ok();
}

static struct outcome checked_blob(void *context, enum wire_blob_kind kind, size_t size)
{
	struct checked *checked = context;

	REQUIRE(checked->hello && !checked->announced && !checked->ended && kind < WIRE_BLOBS &&
	        checked->blob_left == 0);
	REQUIRE(checked->request.flags & WIRE_BLOB_FLAG(kind) & ~checked->blobs);
	REQUIRE(size >= 1 && size <= checked->request.max_metadata);
	checked->blobs |= WIRE_BLOB_FLAG(kind);
	checked->blob_left = size;
	return outcome_ok();
}

static struct outcome checked_loss(void *context, uint64_t parts)
{
	struct checked *checked = context;

	REQUIRE(checked->sample_frame > 0 && parts > checked->losses && !(checked->request.flags & WIRE_STRICT));
	checked->losses = parts;
	return outcome_ok();
}

static void *checked_reserve(void *context, size_t *size)
{
	struct checked *checked = context;

	REQUIRE(checked->blob_left > 0 || (checked->announced && checked->frame_left > 0));
	checked->reserved = true;
	checked->room = *size = 1 + checked->total % sizeof(checked->buffer);
	return checked->buffer;
}

static struct outcome checked_commit(void *context, size_t size)
{
	struct checked *checked = context;

	REQUIRE(checked->reserved && size >= 1 && size <= checked->room);
	checked->reserved = false;
	if (checked->blob_left > 0) {
		REQUIRE(size <= checked->blob_left);
		checked->blob_left -= size;
		return outcome_ok();
	}
	REQUIRE(size <= checked->frame_left);
	checked->frame_left -= size;
	checked->total += size;
	checked->hash = hash_add(checked->hash, checked->buffer, size);
	REQUIRE(checked->total <= checked->request.max_output);
	return outcome_ok();
}

static struct outcome checked_end(void *context, enum wire_failure damage, uint32_t notes)
{
	struct checked *checked = context;
	bool image = checked->image.width > 0;
	bool whole = checked->frames_of_image > 0 && checked->frame_left == 0;

	REQUIRE(checked->announced && !checked->ended && !checked->previewing && (notes & ~WIRE_NOTES) == 0);
	REQUIRE(damage == WIRE_OK || (checked->request.flags & WIRE_PARTIAL));
	REQUIRE(!image || whole || damage != WIRE_OK || checked->request.operation == WIRE_INFO);
	REQUIRE(checked->sample_frame == 0 || checked->total % checked->sample_frame == 0);
	checked->ended = true;
	return outcome_ok();
}

/* `checked` must have its request and be zero otherwise. */
static inline struct wire_consumer checked_consumer(struct checked *checked)
{
	return (struct wire_consumer){
		.context = checked,
		.hello = checked_hello,
		.image = checked_image,
		.frame = checked_frame,
		.bytes = checked_bytes,
		.audio = checked_audio,
		.metadata = checked_metadata,
		.blob = checked_blob,
		.loss = checked_loss,
		.reserve = checked_reserve,
		.commit = checked_commit,
		.end = checked_end,
	};
}

#endif
