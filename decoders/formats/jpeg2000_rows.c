/* SPDX-License-Identifier: MIT */
/* From components, each with its own size and depth, to rows of pixels. */
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/rows.h"
#include "jpeg2000_decode.h"

/* What was kept of a component's coordinates is worth a sample of the picture's: from a picture's to a component's. */
struct axis {
	uint32_t step, first, count; /* of the component */
	uint32_t base_step, base_first;
};

static uint32_t place(const struct axis *axis, uint32_t at)
{
	uint64_t position = ((uint64_t)axis->base_first + at) * axis->base_step / axis->step;

	if (position < axis->first)
		return 0;
	position -= axis->first;
	return position < axis->count ? (uint32_t)position : axis->count - 1;
}

/* The finest component in each direction is the picture's grid. */
static void find_base(const struct decode *decode, struct axis *across, struct axis *down)
{
	*across = *down = (struct axis){ .base_step = UINT32_MAX };
	for (unsigned i = 0; i < decode->used; i++) {
		const opj_image_comp_t *component = &decode->picture->comps[decode->sources[i].channel.component];
		if (component->dx < across->base_step) {
			across->base_step = component->dx;
			across->base_first = component->x0 >> decode->reduce;
		}
		if (component->dy < down->base_step) {
			down->base_step = component->dy;
			down->base_first = component->y0 >> decode->reduce;
		}
	}
}

/* A sample of so many bits to 8 or 16. */
static uint32_t scale(int64_t value, const struct j2k_source *source, uint32_t most)
{
	int64_t top = (INT64_C(1) << source->bits) - 1;

	if (source->is_signed)
		value += INT64_C(1) << (source->bits - 1);
	value = value < 0 ? 0 : value > top ? top : value;
	return top == (int64_t)most ? (uint32_t)value : (uint32_t)((value * most + top / 2) / top);
}

static int64_t look_up(const struct j2k_boxes *boxes, const struct j2k_source *source, int64_t index)
{
	index = index < 0 ? 0 : index < (int64_t)boxes->entries ? index : (int64_t)boxes->entries - 1;
	return boxes->palette[index][source->channel.column];
}

/* One channel of a row, to every used-th place of `to`. */
static void take_channel(const struct decode *decode, unsigned number, const struct axis *across,
                         const struct axis *down, uint32_t y, uint32_t *to)
{
	const struct j2k_source *source = &decode->sources[number];
	const opj_image_comp_t *component = &decode->picture->comps[source->channel.component];
	struct axis x_axis = *across, y_axis = *down;
	uint32_t most = decode->deep ? UINT16_MAX : UINT8_MAX;

	x_axis.step = component->dx;
	x_axis.first = component->x0 >> decode->reduce;
	x_axis.count = component->w;
	y_axis.step = component->dy;
	y_axis.first = component->y0 >> decode->reduce;
	y_axis.count = component->h;
	const OPJ_INT32 *row = component->data + (size_t)place(&y_axis, y) * component->w;
	bool plain = component->w == decode->image.width && component->dx == across->base_step;
	for (uint32_t x = 0; x < decode->image.width; x++) {
		int64_t value = row[plain ? x : place(&x_axis, x)];
		if (source->channel.mapped)
			value = look_up(decode->boxes, source, value);
		to[(size_t)x * decode->used + number] = scale(value, source, most);
	}
}

/* ---- colours ---- */

static uint32_t clamp(int64_t value, uint32_t most)
{
	return value < 0 ? 0 : value > (int64_t)most ? most : (uint32_t)value;
}

/* By the coefficients of BT.601, in 16 bits behind the point. */
static void from_sycc(uint32_t *sample, uint32_t most)
{
	int64_t middle = (most + 1) / 2, half = 1 << 15, luma = sample[0];
	int64_t blue = (int64_t)sample[1] - middle, red = (int64_t)sample[2] - middle;

	sample[0] = clamp(luma + ((91881 * red + half) >> 16), most);
	sample[1] = clamp(luma - ((22554 * blue + 46802 * red + half) >> 16), most);
	sample[2] = clamp(luma + ((116130 * blue + half) >> 16), most);
}

/* Without colour management: each ink takes its share of the light that black leaves. */
static void from_cmyk(uint32_t *sample, uint32_t most)
{
	uint64_t light = most - sample[3];

	for (int i = 0; i < 3; i++)
		sample[i] = (uint32_t)(light - (sample[i] * light + most / 2) / most);
}

static void divide_by_alpha(uint32_t *sample, unsigned count, uint32_t alpha, uint32_t most)
{
	for (unsigned i = 0; i < count && alpha > 0; i++)
		sample[i] = clamp(((int64_t)sample[i] * most + alpha / 2) / alpha, most);
}

static void convert_row(const struct decode *decode, const uint32_t *from, uint8_t *to)
{
	uint32_t most = decode->deep ? UINT16_MAX : UINT8_MAX;
	unsigned out_colors = decode->space == J2K_GRAY ? 1 : 3, out_count = out_colors + decode->alpha;
	uint16_t *to16 = (uint16_t *)(void *)to;

	for (size_t x = 0; x < decode->image.width; x++, from += decode->used) {
		uint32_t samples[J2K_USED_MAX] = { 0 };
		memcpy(samples, from, decode->used * sizeof(*samples));
		uint32_t alpha = decode->alpha ? samples[decode->colors] : most;
		if (decode->associated)
			divide_by_alpha(samples, decode->colors, alpha, most);
		if (decode->space == J2K_SYCC)
			from_sycc(samples, most);
		else if (decode->space == J2K_CMYK)
			from_cmyk(samples, most);
		for (unsigned i = 0; i < out_count; i++) {
			uint32_t value = i < out_colors ? samples[i] : alpha;
			if (decode->deep)
				to16[x * out_count + i] = (uint16_t)value;
			else
				to[x * out_count + i] = (uint8_t)value;
		}
	}
}

/* All components must be there, as large as they were said to be. */
static bool is_complete(const struct decode *decode)
{
	for (unsigned i = 0; i < decode->used; i++) {
		const opj_image_comp_t *component = &decode->picture->comps[decode->sources[i].channel.component];
		if (!component->data || component->w == 0 || component->h == 0 || component->w > decode->image.width ||
		    component->h > decode->image.height)
			return false;
	}
	return true;
}

session_result j2k_send_rows(struct decode *decode)
{
	const struct wire_image *image = &decode->image;
	struct axis across, down;
	session_result result = WIRE_OK;

	if (!is_complete(decode))
		return WIRE_FAIL_DATA;
	size_t row_bytes = (size_t)image->width * pixels_layout_bytes[decode->layout];
	uint32_t *samples = malloc((size_t)image->width * decode->used * sizeof(*samples));
	uint8_t *row = malloc(row_bytes);
	find_base(decode, &across, &down);
	for (uint32_t y = 0; samples && row && y < image->height && result == WIRE_OK; y++) {
		for (unsigned i = 0; i < decode->used; i++)
			take_channel(decode, i, &across, &down, y, samples);
		convert_row(decode, samples, row);
		result = rows_send(decode->session, image, decode->layout, row, row_bytes, 1);
	}
	if (!samples || !row)
		result = WIRE_FAIL_LIMIT_MEMORY;
	free(samples);
	free(row);
	return result;
}
