/* SPDX-License-Identifier: MIT */
/*
 * Icons and cursors, also animated ones.  Each picture of an icon is a bitmap or a PNG, and a page: the first page is
 * the largest picture, and the others follow in the order of the file.  Frames of animated ones are the largest.
 *
 * pkg-config: libpng
 */
#include "ico.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/picture/dib.h"
#include "decoders/picture/rows.h"
#include "decoders/runtime/whole.h"
#include "ico_png.h"

/* In the order of broker/recognise/registry.c. */
enum variant { VARIANT_ICO, VARIANT_CUR, VARIANT_ANI };

enum { LIST_HEADER = 6, ENTRY_SIZE = 16 };

struct entry {
	uint32_t width, height, bits;
	size_t place; /* in the file of icons */
};

/* What a file of icons has. */
struct list {
	const uint8_t *entries;
	uint32_t count;
	bool cursor;
};

/* One picture of it. */
struct picture {
	bool is_png;
	struct icon_png png;
	struct dib dib;
	struct input input; /* of a bitmap */
};

struct decode {
	struct session *session;
	struct whole whole;
	struct animation animation;
	struct picture picture; /* that is open */
	struct wire_image image;
	bool announced;
	uint8_t *row; /* owned */
};

/* ---- the list ---- */

static struct entry read_entry(const uint8_t *bytes, bool cursor)
{
	struct entry entry = { .width = bytes[0], .height = bytes[1], .place = input_le32(bytes + 12) };

	entry.width += entry.width == 0 ? 256 : 0;
	entry.height += entry.height == 0 ? 256 : 0;
	/* In cursors, the place of the hot spot is there instead. */
	entry.bits = cursor ? 0 : input_le16(bytes + 6);
	if (entry.bits == 0)
		entry.bits = bytes[2] < 2 ? 8 : 32U - (unsigned)__builtin_clz(bytes[2] - 1U);
	return entry;
}

static bool is_better(const struct entry *entry, const struct entry *best)
{
	uint32_t area = entry->width * entry->height, best_area = best->width * best->height;

	return area > best_area || (area == best_area && entry->bits > best->bits);
}

static session_result read_list(struct slice file, struct list *list)
{
	if (file.size < LIST_HEADER)
		return WIRE_FAIL_TRUNCATED;
	uint32_t kind = input_le16(file.data + 2);
	if (input_le16(file.data) != 0 || (kind != 1 && kind != 2))
		return WIRE_FAIL_SIGNATURE;
	*list = (struct list){ .entries = file.data + LIST_HEADER,
		               .count = input_le16(file.data + 4),
		               .cursor = kind == 2 };
	if (list->count == 0)
		return WIRE_FAIL_HEADER;
	return file.size - LIST_HEADER < list->count * (size_t)ENTRY_SIZE ? WIRE_FAIL_TRUNCATED : WIRE_OK;
}

static struct entry entry_at(const struct list *list, uint32_t index)
{
	return read_entry(list->entries + index * (size_t)ENTRY_SIZE, list->cursor);
}

/* The largest picture, of these the one with most colours. */
static uint32_t choose_entry(const struct list *list)
{
	struct entry best = { 0 };
	uint32_t chosen = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		struct entry entry = entry_at(list, i);
		if (!is_better(&entry, &best))
			continue;
		best = entry;
		chosen = i;
	}
	return chosen;
}

/* ---- one picture ---- */

/* Sizes in the list are ignored, like browsers ignore that of the data: others are wrong too often. */
static session_result open_picture(struct decode *decode, struct slice file, const struct list *list, uint32_t index)
{
	struct picture *picture = &decode->picture;
	size_t place = entry_at(list, index).place;

	if (place < LIST_HEADER + list->count * (size_t)ENTRY_SIZE)
		return WIRE_FAIL_HEADER;
	if (place >= file.size)
		return WIRE_FAIL_TRUNCATED;
	const uint8_t *data = file.data + place;
	size_t size = file.size - place;
	picture->is_png = icon_png_is_one(data, size);
	if (picture->is_png)
		return icon_png_open(&picture->png, decode->session, data, size);
	picture->input = (struct input){ .session = decode->session, .data = data, .left = size };
	return dib_read_header(&picture->dib, &picture->input, 0, true);
}

static void close_picture(struct decode *decode)
{
	if (decode->picture.is_png)
		icon_png_close(&decode->picture.png);
	dib_release(&decode->picture.dib);
	decode->picture = (struct picture){ 0 };
}

static struct wire_image describe(const struct decode *decode)
{
	const struct icon_png *png = &decode->picture.png;
	const struct dib *dib = &decode->picture.dib;

	if (decode->picture.is_png)
		return (struct wire_image){ .width = png->width,
			                    .height = png->height,
			                    .color = png->color,
			                    .channels = png->channels,
			                    .depth = png->depth,
			                    .flags = (png->alpha ? WIRE_IMAGE_ALPHA : 0) |
			                             (png->icc ? WIRE_IMAGE_ICC : 0) };
	return (struct wire_image){ .width = dib->width,
		                    .height = dib->height,
		                    .color = dib->bits <= 8 ? WIRE_COLOR_PALETTE : WIRE_COLOR_RGB,
		                    .channels = 4,
		                    .depth = dib->depth,
		                    .flags = WIRE_IMAGE_ALPHA };
}

/* Announces a page, or the first frame of an animation; those that follow must be like it. */
static session_result announce(struct decode *decode, uint32_t frames)
{
	struct wire_image image = describe(decode);
	session_result result = session_check_size(decode->session, image.width, image.height, 1);

	if (result != WIRE_OK)
		return result;
	bool frame = decode->announced && decode->animation.steps > 0;
	if (frame && (image.width != decode->image.width || image.height != decode->image.height))
		return WIRE_FAIL_STRUCTURE;
	uint64_t pixels =
	        decode->picture.is_png ? (uint64_t)image.width * image.height * 4 : dib_needs(&decode->picture.dib);
	session_needs(decode->session, decode->whole.size + pixels + (uint64_t)image.width * 4);
	if (frame)
		return WIRE_OK;
	image.frames = frames;
	if (decode->animation.steps > 0)
		image.flags |= WIRE_IMAGE_ANIMATION;
	image.pixel_format = session_choose_format(decode->session, &image);
	decode->image = image;
	result = session_image(decode->session, &image);
	if (result != WIRE_OK)
		return result;
	decode->announced = true;
	free(decode->row);
	decode->row = malloc((size_t)image.width * 4);
	return decode->row ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

static session_result send_bitmap(struct decode *decode)
{
	const struct dib *dib = &decode->picture.dib;
	session_result result = WIRE_OK;

	for (uint32_t y = 0; y < dib->height && result == WIRE_OK; y++) {
		dib_convert_at(dib, y, decode->row);
		result = rows_send(decode->session, &decode->image, dib_layout(dib), decode->row, 0, 1);
	}
	return result;
}

static session_result send_picture(struct decode *decode)
{
	struct icon_png *png = &decode->picture.png;
	struct dib *dib = &decode->picture.dib;
	session_result result = decode->picture.is_png ? icon_png_read(png) : dib_read(dib, &decode->picture.input);

	if (result == WIRE_FAIL_LIMIT_MEMORY)
		return result;
	if (result != WIRE_OK)
		return session_damage(decode->session, (enum wire_failure)result);
	if (decode->picture.is_png)
		return rows_send(decode->session, &decode->image, png->layout, png->pixels, png->stride, png->height);
	result = send_bitmap(decode);
	if (result == WIRE_OK && dib->flaw != WIRE_OK)
		result = session_flaw(decode->session, WIRE_NOTE_END, dib->flaw);
	return result;
}

/* ---- files ---- */

/* A page, or a frame of an animation. */
static session_result decode_entry(struct decode *decode, struct slice file, const struct list *list, uint32_t index,
                                   uint32_t delay)
{
	uint32_t steps = decode->animation.steps;
	session_result result = open_picture(decode, file, list, index);

	/* What is wrong with a page costs those before it nothing. */
	if (result != WIRE_OK && result != WIRE_FAIL_LIMIT_MEMORY && decode->announced)
		result = session_damage(decode->session, (enum wire_failure)result);
	if (result == WIRE_OK)
		result = announce(decode, steps > 0 ? steps : list->count);
	if (result == WIRE_OK)
		result = session_frame(decode->session, delay);
	if (result == WIRE_OK)
		result = send_picture(decode);
	close_picture(decode);
	return result;
}

static session_result decode_frame(struct decode *decode, struct slice file, uint32_t delay)
{
	struct list list = { 0 };
	session_result result = read_list(file, &list);

	return result == WIRE_OK ? decode_entry(decode, file, &list, choose_entry(&list), delay) : result;
}

static session_result decode_icon(struct decode *decode, struct slice file)
{
	const struct wire_request *request = session_request(decode->session);
	uint64_t end = (uint64_t)request->first_frame + request->max_frames;
	struct list list = { 0 };
	session_result result = read_list(file, &list);
	uint32_t best = result == WIRE_OK ? choose_entry(&list) : 0;

	for (uint32_t page = 0; result == WIRE_OK && page < list.count && page < end; page++) {
		uint32_t index = page == 0 ? best : page <= best ? page - 1 : page;
		if (!session_pass_frame(decode->session))
			result = decode_entry(decode, file, &list, index, 0);
	}
	return result;
}

static session_result decode_animation(struct decode *decode, struct slice file)
{
	struct animation *animation = &decode->animation;
	session_result result = animation_find(animation, file);

	for (uint32_t step = 0; step < animation->steps && result == WIRE_OK; step++) {
		uint32_t delay = 0;
		struct slice icon = animation_at(animation, step, &delay);
		result = icon.size > 0 ? decode_frame(decode, icon, delay) : WIRE_FAIL_STRUCTURE;
	}
	return result;
}

static session_result decode_ico(struct session *session)
{
	struct decode decode = { .session = session };
	session_result result = whole_read(session, &decode.whole);
	struct slice file = { decode.whole.data, decode.whole.size };

	if (result == WIRE_OK && session_request(session)->variant == VARIANT_ANI)
		result = decode_animation(&decode, file);
	else if (result == WIRE_OK)
		result = decode_icon(&decode, file);
	animation_release(&decode.animation);
	free(decode.row);
	whole_free(&decode.whole);
	return result;
}

/* ---- what must not be done for the first time after lock-down ---- */

/* Whatever libpng and zlib do when they are first used. */
static void initialise(void)
{
	session_rehearse(&decoder, 0);
}

DECODER_SAMPLE(ico_sample, "samples/ico/png.ico");

static const char *version(void)
{
	return png_get_libpng_ver(NULL);
}

const struct decoder decoder = {
	.name = "ico",
	.library = "libpng",
	.version = version,
	.initialise = initialise,
	.decode = decode_ico,
	.sample = ico_sample,
	.sample_end = ico_sample_end,
};
