/* SPDX-License-Identifier: MIT */
#include "announcements.h"

static bool image_is_described(const struct wire_image *image)
{
	return image->color < WIRE_COLORS && image->channels >= 1 && image->channels <= 4 && image->depth >= 1 &&
	       image->depth <= WIRE_DEPTH_MAX && (image->flags & ~WIRE_IMAGE_FLAGS) == 0 && image->orientation <= 8;
}

/* Whether a picture is no larger than it was wanted, and no different. */
static bool view_is_as_requested(const struct wire_image *image, const struct wire_request *request)
{
	const struct wire_view *view = &request->view;
	bool fitted = view->fit_width > 0 || view->fit_height > 0;
	uint32_t width = fitted ? view->fit_width : view->crop_width; /* the most; 0: any */
	uint32_t height = fitted ? view->fit_height : view->crop_height;

	return (width == 0 || image->width <= width) && (height == 0 || image->height <= height) &&
	       (!(image->flags & WIRE_IMAGE_UPRIGHT) || (request->flags & WIRE_UPRIGHT)) &&
	       (!(image->flags & WIRE_IMAGE_ALPHA) || !(request->flags & WIRE_FLATTEN));
}

static bool image_is_as_requested(const struct wire_image *image, const struct wire_request *request)
{
	return view_is_as_requested(image, request) && image->width >= 1 && image->width <= request->max_side &&
	       image->height >= 1 && image->height <= request->max_side && image->pixel_format < WIRE_PIXEL_FORMATS &&
	       (request->pixel_formats & WIRE_FORMAT_BIT(image->pixel_format)) != 0;
}

bool announcement_is_good_image(const struct wire_image *image, const struct wire_request *request)
{
	return image_is_described(image) && image_is_as_requested(image, request);
}

static bool audio_is_described(const struct wire_audio *audio)
{
	uint32_t layout = audio->channel_layout;

	return audio->rate >= 1 && audio->rate <= WIRE_RATE_MAX && audio->channels >= 1 &&
	       audio->channels <= WIRE_CHANNELS_MAX && audio->depth >= 1 && audio->depth <= WIRE_DEPTH_MAX &&
	       layout < WIRE_SPEAKER_BIT(WIRE_SPEAKERS) && (audio->flags & ~WIRE_AUDIO_FLAGS) == 0 &&
	       (layout == 0 || (uint32_t)__builtin_popcount(layout) == audio->channels) &&
	       (!(audio->flags & WIRE_AUDIO_VORBIS_ORDER) || audio->channels <= 8);
}

bool announcement_is_good_audio(const struct wire_audio *audio, const struct wire_request *request)
{
	return audio_is_described(audio) && audio->sample_format < WIRE_SAMPLE_FORMATS &&
	       (request->sample_formats & WIRE_FORMAT_BIT(audio->sample_format)) != 0;
}
