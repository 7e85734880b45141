/* SPDX-License-Identifier: MIT */
#include "info.h"

#include <inttypes.h>
#include <string.h>

#include "broker/decode/channels.h"
#include "broker/wire/pixel_forms.h"
#include "escape.h"
#include "options.h"

static const char *const color_names[WIRE_COLORS] = {
	[WIRE_COLOR_GRAY] = "gray", [WIRE_COLOR_RGB] = "rgb",   [WIRE_COLOR_YCBCR] = "ycbcr",
	[WIRE_COLOR_CMYK] = "cmyk", [WIRE_COLOR_YCCK] = "ycck", [WIRE_COLOR_PALETTE] = "palette",
};

static const char *boolean(uint32_t bits)
{
	return bits ? "true" : "false";
}

/* "frames" are null where only decoding would tell; a still picture has one. */
static void print_frames(FILE *stream, const struct wire_image *image)
{
	if (image->frames > 0)
		fprintf(stream, ", \"frames\": %" PRIu32, image->frames);
	else
		fputs(", \"frames\": null", stream);
	fprintf(stream, ", \"animated\": %s", boolean(image->flags & WIRE_IMAGE_ANIMATION));
	if (image->flags & WIRE_IMAGE_ANIMATION)
		fprintf(stream, ", \"loops\": %" PRIu32, image->loops);
}

static void print_image(FILE *stream, const struct wire_image *image)
{
	fprintf(stream,
	        ", \"width\": %" PRIu32 ", \"height\": %" PRIu32 ", \"channels\": %" PRIu32 ", \"depth\": %" PRIu32
	        ", \"alpha\": %s, \"color\": \"%s\"",
	        image->width, image->height, image->channels, image->depth, boolean(image->flags & WIRE_IMAGE_ALPHA),
	        color_names[image->color]);
	fprintf(stream, ", \"progressive\": %s, \"arithmetic\": %s, \"icc\": %s",
	        boolean(image->flags & WIRE_IMAGE_PROGRESSIVE), boolean(image->flags & WIRE_IMAGE_ARITHMETIC),
	        boolean(image->flags & WIRE_IMAGE_ICC));
	fprintf(stream, ", \"float\": %s, \"native\": \"%s\"", boolean(image->flags & WIRE_IMAGE_FLOAT),
	        options_pixel_format_name(wire_choose_format(image, WIRE_FORMAT_BIT(WIRE_PIXEL_FORMATS) - 1)));
	print_frames(stream, image);
	if (image->orientation != 0)
		fprintf(stream, ", \"orientation\": %" PRIu32, image->orientation);
	else
		fputs(", \"orientation\": null", stream);
	fprintf(stream, ", \"upright\": %s", boolean(image->flags & WIRE_IMAGE_UPRIGHT));
}

static void print_channels(FILE *stream, const struct wire_audio *audio)
{
	enum wire_speaker order[WIRE_CHANNELS_MAX];
	size_t count = channels_order(audio, order);
	const char *layout = channels_layout_name(audio->channel_layout);

	if (layout)
		fprintf(stream, ", \"channel_layout\": \"%s\"", layout);
	else
		fputs(", \"channel_layout\": null", stream);
	fputs(", \"channel_order\": [", stream);
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%s\"%s\"", i > 0 ? ", " : "", channels_speaker_name(order[i]));
	fputc(']', stream);
}

static void print_length(FILE *stream, const struct wire_audio *audio)
{
	if (audio->frames == WIRE_UNKNOWN) {
		fputs(", \"frames\": null, \"duration\": null", stream);
		return;
	}
	fprintf(stream, ", \"frames\": %" PRIu64 ", \"duration\": %" PRIu64 ".%03" PRIu64, audio->frames,
	        audio->frames / audio->rate, audio->frames % audio->rate * 1000 / audio->rate);
}

static void print_audio(FILE *stream, const struct wire_audio *audio, const struct tag_list *tags)
{
	fprintf(stream, ", \"rate\": %" PRIu32 ", \"channels\": %" PRIu32, audio->rate, audio->channels);
	print_channels(stream, audio);
	fprintf(stream, ", \"bits\": %" PRIu32 ", \"float\": %s, \"lossy\": %s", audio->depth,
	        boolean(audio->flags & WIRE_AUDIO_FLOAT), boolean(audio->flags & WIRE_AUDIO_LOSSY));
	print_length(stream, audio);
	fprintf(stream, ", \"cover\": %s, \"tags\": ", boolean(audio->flags & WIRE_AUDIO_COVER));
	tag_list_print(tags, stream);
}

void info_print(FILE *stream, const struct info *info)
{
	fputs("{\"file\": ", stream);
	escape_json(stream, info->input);
	fprintf(stream, ", \"format\": \"%s\", \"library\": ", info->format->name);
	escape_json(stream, info->library);
	const char *mime = info->format->mime;
	if (mime && *mime)
		fprintf(stream, ", \"mime\": \"%.*s\"", (int)strcspn(mime, " "), mime); /* the usual one */
	else
		fputs(", \"mime\": null", stream);
	fprintf(stream, ", \"kind\": \"%s\"", info->image ? "image" : info->audio ? "audio" : "bytes");
	if (info->image) {
		print_image(stream, info->image);
		fputs(", \"tags\": ", stream);
		tag_list_print(info->tags, stream);
	}
	if (info->audio)
		print_audio(stream, info->audio, info->tags);
	fputs("}\n", stream);
}
