/* SPDX-License-Identifier: MIT */
/* Which components are the colours of the picture, and which is its alpha. */
#include "jpeg2000_decode.h"

enum {
	KIND_COLOR = 0,
	KIND_ALPHA = 1,
	KIND_ALPHA_ASSOCIATED = 2,
	DEPTH_MAX = 16,
};

/* Channels before anybody says what they mean. */
static unsigned count_channels(const struct decode *decode)
{
	unsigned components = decode->picture->numcomps;

	if (decode->boxes->channels > 0)
		return decode->boxes->channels;
	return components < J2K_CHANNELS_MAX ? components : J2K_CHANNELS_MAX;
}

/* A codestream alone does not tell; chroma that has fewer samples gives itself away. */
static enum j2k_space choose_space(const struct decode *decode, unsigned channels)
{
	const opj_image_comp_t *components = decode->picture->comps;

	if (decode->boxes->space != J2K_UNKNOWN)
		return decode->boxes->space;
	if (channels < 3)
		return J2K_GRAY;
	bool mapped = decode->boxes->channels > 0;
	if (!mapped && channels == 3 && components[1].dx > components[0].dx && components[2].dx > components[0].dx)
		return J2K_SYCC;
	return J2K_RGB;
}

static session_result set_source(struct decode *decode, unsigned to, unsigned channel)
{
	const struct j2k_boxes *boxes = decode->boxes;
	struct j2k_source *source = &decode->sources[to];

	if (boxes->channels > 0)
		source->channel = boxes->map[channel];
	else
		source->channel = (struct j2k_channel){ .component = (uint16_t)channel };
	if (source->channel.component >= decode->picture->numcomps)
		return WIRE_FAIL_HEADER;
	const opj_image_comp_t *component = &decode->picture->comps[source->channel.component];
	source->bits = source->channel.mapped ? boxes->column_bits[source->channel.column] : component->prec;
	source->is_signed = !source->channel.mapped && component->sgnd != 0;
	return source->bits > 0 && source->bits <= 31 ? WIRE_OK : WIRE_FAIL_UNSUPPORTED;
}

/* The channel that is of a kind and stands for colour number `color`, or `otherwise`. */
static unsigned find_channel(const struct decode *decode, unsigned channels, uint16_t kind, unsigned color,
                             unsigned otherwise)
{
	const struct j2k_boxes *boxes = decode->boxes;

	for (unsigned i = 0; i < boxes->meanings; i++)
		if (boxes->meaning[i].kind == kind && boxes->meaning[i].channel < channels &&
		    (kind != KIND_COLOR || boxes->meaning[i].color == color))
			return boxes->meaning[i].channel;
	return otherwise;
}

static session_result choose_sources(struct decode *decode, unsigned channels)
{
	session_result result = WIRE_OK;
	unsigned alpha = channels;

	for (unsigned i = 0; i < decode->colors && result == WIRE_OK; i++)
		result = set_source(decode, i, find_channel(decode, channels, KIND_COLOR, i + 1, i));
	if (decode->boxes->meanings > 0) {
		alpha = find_channel(decode, channels, KIND_ALPHA, 0, channels);
		if (alpha == channels) {
			alpha = find_channel(decode, channels, KIND_ALPHA_ASSOCIATED, 0, channels);
			decode->associated = alpha < channels;
		}
	} else if (channels == decode->colors + 1) {
		alpha = decode->colors; /* as all others take it */
	}
	decode->alpha = alpha < channels;
	decode->used = decode->colors + decode->alpha;
	if (decode->alpha && result == WIRE_OK)
		result = set_source(decode, decode->colors, alpha);
	return result;
}

static void choose_layout(struct decode *decode)
{
	decode->layout = pixels_layout_of(decode->deep ? 2 : 1, decode->space != J2K_GRAY, decode->alpha);
}

/* The picture is as large as its largest component. */
static session_result measure(struct decode *decode)
{
	struct wire_image *image = &decode->image;

	for (unsigned i = 0; i < decode->used; i++) {
		const opj_image_comp_t *component = &decode->picture->comps[decode->sources[i].channel.component];
		if (component->w == 0 || component->h == 0 || component->dx == 0 || component->dy == 0)
			return WIRE_FAIL_HEADER;
		image->width = component->w > image->width ? component->w : image->width;
		image->height = component->h > image->height ? component->h : image->height;
	}
	return session_check_size(decode->session, image->width, image->height, 1);
}

session_result j2k_describe(struct decode *decode)
{
	static const uint8_t colors[] = { [J2K_GRAY] = 1, [J2K_RGB] = 3, [J2K_SYCC] = 3, [J2K_CMYK] = 4 };
	static const uint8_t color[] = { [J2K_GRAY] = WIRE_COLOR_GRAY,
		                         [J2K_RGB] = WIRE_COLOR_RGB,
		                         [J2K_SYCC] = WIRE_COLOR_YCBCR,
		                         [J2K_CMYK] = WIRE_COLOR_CMYK };
	struct wire_image *image = &decode->image;
	unsigned channels = count_channels(decode), bits = 0;

	if (channels == 0)
		return WIRE_FAIL_HEADER;
	decode->space = choose_space(decode, channels);
	decode->colors = colors[decode->space];
	/* Gray that says that it is RGB is gray. */
	if (channels < decode->colors) {
		decode->space = J2K_GRAY;
		decode->colors = 1;
	}
	session_result result = choose_sources(decode, channels);
	if (result == WIRE_OK)
		result = measure(decode);
	if (result != WIRE_OK)
		return result;
	for (unsigned i = 0; i < decode->used; i++)
		bits = decode->sources[i].bits > bits ? decode->sources[i].bits : bits;
	decode->deep = bits > 8;
	choose_layout(decode);
	image->frames = 1;
	image->color = decode->boxes->entries > 0 ? WIRE_COLOR_PALETTE : color[decode->space];
	image->channels = decode->used < 4 ? decode->used : 4;
	image->depth = bits < DEPTH_MAX ? bits : DEPTH_MAX;
	image->flags = (decode->alpha ? WIRE_IMAGE_ALPHA : 0) | (decode->boxes->icc ? WIRE_IMAGE_ICC : 0);
	return WIRE_OK;
}
