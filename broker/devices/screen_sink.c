/* SPDX-License-Identifier: MIT */
/* A picture on a screen. */
#include <errno.h>
#include <stdlib.h>

#include "drivers.h"
#include "painter.h"

static struct outcome begin(struct sink *sink)
{
	struct device *device = sink->device;
	struct painter *painter = calloc(1, sizeof(*painter));

	sink->state = painter;
	if (!painter)
		return outcome_of_errno(SDEC_IO, "no memory for the picture", ENOMEM);
	console_leave(&device->console);
	struct outcome outcome = device->driver->begin(device->context, &device->screen);
	if (outcome.status != SDEC_OK)
		return outcome;
	const struct screen *canvas = frames_canvas(&device->frames, &device->screen);
	if (!canvas || !painter_begin(painter, canvas, sink->image.width, sink->image.height))
		outcome = outcome_of_errno(SDEC_IO, "no memory for the picture", ENOMEM);
	return outcome;
}

static struct outcome draw_row(struct sink *sink, const uint8_t *row)
{
	painter_row(sink->state, row);
	return outcome_ok();
}

static struct outcome end(struct sink *sink)
{
	struct device *device = sink->device;

	if (!frames_show(&device->frames, &device->console, &device->screen) || !device->driver->flush)
		return outcome_ok();
	return device->driver->flush(device->context);
}

static void release(struct sink *sink)
{
	painter_release(sink->state);
	free(sink->state);
}

const struct sink_format sink_screen = {
	.name = "screen",
	.extensions = "",
	.description = "a picture on a screen",
	.accepted = WIRE_FORMAT_BIT(WIRE_BGRA),
	.preferred = WIRE_FORMAT_BIT(WIRE_BGRA),
	.takes_frames = true,
	.writer.begin = begin,
	.writer.row = draw_row,
	.writer.end = end,
	.writer.release = release,
};
