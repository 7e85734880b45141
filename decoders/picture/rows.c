/* SPDX-License-Identifier: MIT */
#include "rows.h"

session_result rows_send(struct session *session, const struct wire_image *image, enum pixels_layout layout,
                         const uint8_t *pixels, size_t stride, size_t count)
{
	pixels_converter *convert = pixels_choose(layout, (enum wire_pixel_format)image->pixel_format);
	size_t row_bytes = (size_t)image->width * wire_pixel_bytes[image->pixel_format];

	while (count > 0) {
		uint8_t *rows = NULL;
		size_t room = 0;
		session_result result = session_rows(session, &rows, &room);
		if (result != WIRE_OK)
			return result;
		if (room > count)
			room = count;
		for (size_t i = 0; i < room; i++)
			convert(rows + i * row_bytes, pixels + i * stride, image->width);
		result = session_commit_rows(session, room);
		if (result != WIRE_OK)
			return result;
		pixels += room * stride;
		count -= room;
	}
	return WIRE_OK;
}
