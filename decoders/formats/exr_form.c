/* SPDX-License-Identifier: MIT */
/* Which parts and which of their channels are shown, and what they make. */
#include <string.h>

#include "exr_decode.h"

static const char *const color_names[2][3] = { { "R", "G", "B" }, { "Y", "RY", "BY" } };

/* ---- channels ---- */

/* The index of a channel of a layer, whose name ends with a point; "": of none.  -1: there is none. */
static int find_channel(const exr_attr_chlist_t *channels, const char *layer, size_t layer_size, const char *name)
{
	for (int i = 0; i < channels->num_channels; i++) {
		const char *full = channels->entries[i].name.str;
		if (strncmp(full, layer, layer_size) == 0 && strcmp(full + layer_size, name) == 0)
			return i;
	}
	return -1;
}

static bool find_planes(struct exr_form *form, const char *layer, size_t layer_size)
{
	const exr_attr_chlist_t *channels = form->channels;

	for (unsigned way = 0; way < 2; way++) {
		bool found = false;
		for (unsigned i = 0; i < 3; i++) {
			form->planes[i] = find_channel(channels, layer, layer_size, color_names[way][i]);
			found |= form->planes[i] >= 0;
		}
		form->chroma = way == 1 && form->planes[1] >= 0 && form->planes[2] >= 0;
		form->colors = way == 0 || form->chroma ? 3 : 1;
		form->planes[EXR_ALPHA] = find_channel(channels, layer, layer_size, "A");
		if (form->colors == 1)
			form->planes[1] = form->planes[2] = -1;
		if (way == 0 ? found : form->planes[0] >= 0)
			return true;
	}
	return false;
}

/* The channels without a layer, else those of the first layer that has colours. */
static bool choose_channels(struct exr_form *form)
{
	if (find_planes(form, "", 0))
		return true;
	for (int i = 0; i < form->channels->num_channels; i++) {
		const char *name = form->channels->entries[i].name.str;
		const char *point = strrchr(name, '.');
		if (point && find_planes(form, name, (size_t)(point + 1 - name)))
			return true;
	}
	return false;
}

static bool is_deep(exr_storage_t storage)
{
	return storage == EXR_STORAGE_DEEP_SCANLINE || storage == EXR_STORAGE_DEEP_TILED;
}

session_result exr_find_pages(struct decode *decode)
{
	int parts = 0;
	session_result reason = WIRE_FAIL_STRUCTURE;

	if (exr_get_count(decode->context, &parts) != EXR_ERR_SUCCESS || parts < 1 || parts > EXR_PARTS_MAX)
		return WIRE_FAIL_STRUCTURE;
	for (int part = 0; part < parts; part++) {
		struct exr_form form = { .part = part };
		exr_storage_t storage = EXR_STORAGE_SCANLINE;
		if (exr_get_storage(decode->context, part, &storage) != EXR_ERR_SUCCESS ||
		    exr_get_channels(decode->context, part, &form.channels) != EXR_ERR_SUCCESS)
			return WIRE_FAIL_STRUCTURE;
		bool deep = is_deep(storage);
		if (!deep && choose_channels(&form))
			decode->pages[decode->page_count++] = part;
		else if (part == 0)
			reason = deep ? WIRE_FAIL_EXR_DEEP : WIRE_FAIL_EXR_CHANNELS;
	}
	return decode->page_count > 0 ? WIRE_OK : reason;
}

/* ---- windows ---- */

static int64_t larger(int64_t one, int64_t other)
{
	return one > other ? one : other;
}

static int64_t smaller(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

static session_result check_window(const struct decode *decode, const exr_attr_box2i_t *window, uint32_t *width,
                                   uint32_t *height)
{
	int64_t across = (int64_t)window->max.x - window->min.x + 1, down = (int64_t)window->max.y - window->min.y + 1;

	if (across < 1 || down < 1)
		return WIRE_FAIL_HEADER;
	*width = (uint32_t)smaller(across, UINT32_MAX);
	*height = (uint32_t)smaller(down, UINT32_MAX);
	return session_check_size(decode->session, *width, *height, 1);
}

/* Both are allocated by: the picture is the display window, and the data window is what is decoded. */
static session_result read_windows(struct decode *decode)
{
	struct exr_form *form = &decode->form;
	uint32_t width = 0, height = 0;

	if (exr_get_data_window(decode->context, form->part, &form->data) != EXR_ERR_SUCCESS ||
	    exr_get_display_window(decode->context, form->part, &form->display) != EXR_ERR_SUCCESS)
		return WIRE_FAIL_STRUCTURE;
	session_result result = check_window(decode, &form->data, &width, &height);
	if (result == WIRE_OK)
		result = check_window(decode, &form->display, &decode->image.width, &decode->image.height);
	form->left = larger(form->data.min.x, form->display.min.x);
	form->right = smaller(form->data.max.x, form->display.max.x);
	form->top = larger(form->data.min.y, form->display.min.y);
	form->bottom = smaller(form->data.max.y, form->display.max.y);
	if (form->left > form->right || form->top > form->bottom) {
		form->left = form->top = 1;
		form->right = form->bottom = 0;
	}
	return result;
}

/* ---- samples ---- */

/* Windows must begin and end where all channels have a sample. */
static bool divides(int32_t sampling, int32_t first, int32_t last)
{
	return sampling == 1 || (sampling > 1 && first % sampling == 0 && ((int64_t)last + 1) % sampling == 0);
}

static session_result check_sampling(const struct decode *decode, struct exr_form *form)
{
	int32_t lines = 1;

	if (!form->tiled && exr_get_scanlines_per_chunk(decode->context, form->part, &lines) != EXR_ERR_SUCCESS)
		return WIRE_FAIL_STRUCTURE;
	const exr_attr_chlist_entry_t *entries = form->channels->entries;

	for (int i = 0; i < form->channels->num_channels; i++) {
		const exr_attr_chlist_entry_t *entry = &entries[i];
		if (!divides(entry->x_sampling, form->data.min.x, form->data.max.x) ||
		    !divides(entry->y_sampling, form->data.min.y, form->data.max.y))
			return WIRE_FAIL_HEADER;
		/* The library counts rows of a chunk as if all chunks had as many of a channel. */
		if (lines > 1 && lines % entry->y_sampling != 0)
			return WIRE_FAIL_UNSUPPORTED;
		if (form->tiled && (entry->x_sampling != 1 || entry->y_sampling != 1))
			return WIRE_FAIL_HEADER;
		if (entry->pixel_type != EXR_PIXEL_UINT && entry->pixel_type != EXR_PIXEL_HALF &&
		    entry->pixel_type != EXR_PIXEL_FLOAT)
			return WIRE_FAIL_HEADER;
	}
	for (unsigned i = 0; i < EXR_PLANES; i++) {
		int channel = form->planes[i];
		bool may_be_halved = form->chroma && (i == 1 || i == 2);
		if (channel < 0)
			continue;
		int32_t across = entries[channel].x_sampling, down = entries[channel].y_sampling;
		if (across != down || across > (may_be_halved ? 2 : 1))
			return WIRE_FAIL_UNSUPPORTED;
		if (may_be_halved && i == 2 && (across == 2) != form->halved)
			return WIRE_FAIL_UNSUPPORTED;
		form->halved |= across == 2;
	}
	return WIRE_OK;
}

/* Of the primaries that the file has, else those of ITU-R BT.709: Y of each when all are 1 and make white. */
static void choose_luma(struct decode *decode)
{
	exr_attr_chromaticities_t file, *c = &file;
	struct exr_form *form = &decode->form;

	if (exr_attr_get_chromaticities(decode->context, form->part, "chromaticities", c) != EXR_ERR_SUCCESS)
		*c = (exr_attr_chromaticities_t){ 0.64F, 0.33F, 0.3F, 0.6F, 0.15F, 0.06F, 0.3127F, 0.329F };
	double x = (double)c->white_x / c->white_y, z = (1 - (double)c->white_x - c->white_y) / c->white_y, sum = x + z;
	double red = x * (c->blue_y - c->green_y) - c->green_x * (c->blue_y - 1 + c->blue_y * sum) +
	             c->blue_x * (c->green_y - 1 + c->green_y * sum);
	double green = x * (c->red_y - c->blue_y) + c->red_x * (c->blue_y - 1 + c->blue_y * sum) -
	               c->blue_x * (c->red_y - 1 + c->red_y * sum);
	double blue = x * (c->green_y - c->red_y) - c->red_x * (c->green_y - 1 + c->green_y * sum) +
	              c->green_x * (c->red_y - 1 + c->red_y * sum);
	double weights[3] = { red * c->red_y, green * c->green_y, blue * c->blue_y };
	double all = weights[0] + weights[1] + weights[2];
	static const float usual[3] = { 0.2126F, 0.7152F, 0.0722F };
	for (unsigned i = 0; i < 3; i++)
		form->luma[i] = (float)(weights[i] / all);
	/* What makes no sense divides by nothing. */
	if (!(form->luma[0] > -1 && form->luma[0] < 1 && form->luma[1] > 0.01F && form->luma[1] < 1 &&
	      form->luma[2] > -1 && form->luma[2] < 1))
		memcpy(form->luma, usual, sizeof(usual));
}

static session_result check_compression(const struct decode *decode)
{
	switch (decode->form.compression) {
	case EXR_COMPRESSION_DWAA:
		return WIRE_FAIL_EXR_DWAA;
	case EXR_COMPRESSION_DWAB:
		return WIRE_FAIL_EXR_DWAB;
	default:
		return decode->form.compression < EXR_COMPRESSION_DWAA ? WIRE_OK : WIRE_FAIL_UNSUPPORTED;
	}
}

/* Of those that are looked at. */
static void describe_samples(struct decode *decode)
{
	const struct exr_form *form = &decode->form;

	decode->image.depth = 16;
	for (unsigned i = 0; i < EXR_PLANES; i++) {
		if (form->planes[i] < 0)
			continue;
		exr_pixel_type_t type = form->channels->entries[form->planes[i]].pixel_type;
		if (type != EXR_PIXEL_HALF)
			decode->image.depth = 32;
		if (type != EXR_PIXEL_UINT)
			decode->image.flags |= WIRE_IMAGE_FLOAT;
	}
}

session_result exr_describe(struct decode *decode, int part)
{
	struct exr_form *form = &decode->form;
	exr_storage_t storage = EXR_STORAGE_SCANLINE;

	form->part = part;
	if (exr_get_channels(decode->context, part, &form->channels) != EXR_ERR_SUCCESS ||
	    exr_get_storage(decode->context, part, &storage) != EXR_ERR_SUCCESS ||
	    exr_get_compression(decode->context, part, &form->compression) != EXR_ERR_SUCCESS || !choose_channels(form))
		return WIRE_FAIL_STRUCTURE;
	form->tiled = storage == EXR_STORAGE_TILED;
	session_result result = check_compression(decode);
	if (result == WIRE_OK)
		result = read_windows(decode);
	if (result == WIRE_OK)
		result = check_sampling(decode, form);
	/* Nobody writes such; its colours would need the tiles around each. */
	if (result == WIRE_OK && form->tiled && form->chroma)
		return WIRE_FAIL_UNSUPPORTED;
	if (result != WIRE_OK)
		return result;
	if (form->chroma)
		choose_luma(decode);
	bool alpha = form->planes[EXR_ALPHA] >= 0;
	form->layout = pixels_layout_of(sizeof(float), form->colors == 3, alpha);
	decode->image.color = form->chroma ? WIRE_COLOR_YCBCR : form->colors == 3 ? WIRE_COLOR_RGB : WIRE_COLOR_GRAY;
	decode->image.channels = form->colors + alpha;
	describe_samples(decode);
	decode->image.flags |= alpha ? WIRE_IMAGE_ALPHA : 0;
	return WIRE_OK;
}
