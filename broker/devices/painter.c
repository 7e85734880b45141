/* SPDX-License-Identifier: MIT */
#include "painter.h"

void painter_fit(struct painter *painter, const struct screen *screen, uint32_t width, uint32_t height)
{
	*painter = (struct painter){ .screen = screen };
	box_fit(width, height, screen->width, screen->height, &painter->width, &painter->height);
	painter->x = (screen->width - painter->width) / 2;
	painter->y = (screen->height - painter->height) / 2;
}

bool painter_begin(struct painter *painter, const struct screen *screen, uint32_t width, uint32_t height)
{
	painter_fit(painter, screen, width, height);
	if (!box_open(&painter->box, width, height, painter->width, painter->height))
		return false;
	screen_clear(screen);
	return true;
}

void painter_row(struct painter *painter, const uint8_t *bgra)
{
	uint8_t *rgb = painter->box.source;

	if (painter->row >= painter->height)
		return;
	for (uint32_t x = 0; x < painter->box.source_width; x++, bgra += 4, rgb += BOX_CHANNELS)
		for (size_t i = 0; i < BOX_CHANNELS; i++)
			rgb[i] = (uint8_t)((bgra[2 - i] * bgra[3] + 127) / 255);
	if (box_add_row(&painter->box))
		screen_write(painter->screen, painter->x, painter->y + painter->row++, painter->box.row,
		             painter->width);
}

void painter_release(struct painter *painter)
{
	box_release(&painter->box);
}
