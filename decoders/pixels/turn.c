/* SPDX-License-Identifier: MIT */
#include "turn.h"

#include <stdlib.h>
#include <string.h>

/* Rows of the upright picture that are made at once, where rows become columns: as many as share a line of the cache.
 */
enum { BAND = 16 };

/* Whether the upright picture begins at the end of the stored one: of its columns, of its rows. */
static bool from_last_column(uint32_t orientation)
{
	return orientation == TURN_MIRROR || orientation == TURN_HALF || orientation == TURN_TRANSVERSE ||
	       orientation == TURN_LEFT;
}

static bool from_last_row(uint32_t orientation)
{
	return orientation == TURN_HALF || orientation == TURN_FLIP || orientation == TURN_RIGHT ||
	       orientation == TURN_TRANSVERSE;
}

struct turn_rectangle turn_stored(uint32_t orientation, uint32_t width, uint32_t height,
                                  const struct turn_rectangle *upright)
{
	struct turn_rectangle stored = *upright;

	if (turn_exchanges_sides(orientation))
		stored = (struct turn_rectangle){ upright->y, upright->x, upright->height, upright->width };
	if (from_last_column(orientation))
		stored.x = width - stored.x - stored.width;
	if (from_last_row(orientation))
		stored.y = height - stored.y - stored.height;
	return stored;
}

/* ---- memory ---- */

static uint32_t rows_held(uint32_t orientation, uint32_t height)
{
	return orientation == TURN_MIRROR ? 1 : height;
}

static size_t upright_row(const struct turn *turn)
{
	return (turn_exchanges_sides(turn->orientation) ? turn->height : turn->width) * turn->pixel_bytes;
}

bool turn_open(struct turn *turn, uint32_t orientation, uint32_t width, uint32_t height, size_t pixel_bytes)
{
	*turn = (struct turn){
		.orientation = orientation, .width = width, .height = height, .pixel_bytes = pixel_bytes
	};
	turn->rows = calloc(rows_held(orientation, height), width * pixel_bytes);
	turn->band = calloc(turn_exchanges_sides(orientation) ? BAND : 1, upright_row(turn));
	return turn->rows && turn->band;
}

void turn_close(struct turn *turn)
{
	free(turn->rows);
	free(turn->band);
	*turn = (struct turn){ .rows = NULL };
}

uint64_t turn_memory(uint32_t orientation, uint32_t width, uint32_t height, size_t pixel_bytes)
{
	uint64_t band = turn_exchanges_sides(orientation) ? (uint64_t)height * BAND : width;

	return ((uint64_t)rows_held(orientation, height) * width + band) * pixel_bytes;
}

/* ---- rows ---- */

void turn_begin(struct turn *turn)
{
	turn->rows_in = turn->rows_out = 0;
}

void turn_put(struct turn *turn, const uint8_t *row)
{
	size_t size = turn->width * turn->pixel_bytes;
	size_t place = turn->orientation == TURN_MIRROR ? 0 : turn->rows_in;

	memcpy(turn->rows + place * size, row, size);
	turn->rows_in++;
}

void turn_end(struct turn *turn)
{
	size_t size = turn->width * turn->pixel_bytes;

	if (turn->orientation == TURN_MIRROR)
		return;
	memset(turn->rows + turn->rows_in * size, 0, (turn->height - turn->rows_in) * size);
	turn->rows_in = turn->height;
}

/* With a constant for the size, memcpy() becomes plain loads and stores. */
#define FOR_EACH_SIZE(bytes, do_with)                                                                                  \
	switch (bytes) {                                                                                               \
	case 1:                                                                                                        \
		do_with(1);                                                                                            \
		break;                                                                                                 \
	case 2:                                                                                                        \
		do_with(2);                                                                                            \
		break;                                                                                                 \
	case 3:                                                                                                        \
		do_with(3);                                                                                            \
		break;                                                                                                 \
	case 4:                                                                                                        \
		do_with(4);                                                                                            \
		break;                                                                                                 \
	case 6:                                                                                                        \
		do_with(6);                                                                                            \
		break;                                                                                                 \
	case 8:                                                                                                        \
		do_with(8);                                                                                            \
		break;                                                                                                 \
	default:                                                                                                       \
		do_with(16);                                                                                           \
	}

static void mirror(uint8_t *to, const uint8_t *from, uint32_t width, size_t pixel_bytes)
{
#define MIRROR(bytes)                                                                                                  \
	for (size_t x = 0; x < width; x++)                                                                             \
	memcpy(to + x * (bytes), from + (width - 1 - x) * (bytes), bytes)
	FOR_EACH_SIZE(pixel_bytes, MIRROR)
#undef MIRROR
}

/* Makes `count` rows of the band of as many columns, from `column` on. */
static void make_band(struct turn *turn, uint32_t column, uint32_t count)
{
	size_t stride = turn->width * turn->pixel_bytes, band_stride = turn->height * turn->pixel_bytes;
	bool last_row_first = from_last_row(turn->orientation), backwards = from_last_column(turn->orientation);

#define MAKE_BAND(bytes)                                                                                               \
	for (size_t y = 0; y < turn->height; y++) {                                                                    \
		const uint8_t *from =                                                                                  \
		        turn->rows + (last_row_first ? turn->height - 1 - y : y) * stride + (size_t)column * (bytes);  \
		for (size_t x = 0; x < count; x++)                                                                     \
			memcpy(turn->band + (backwards ? count - 1 - x : x) * band_stride + y * (bytes),               \
			       from + x * (bytes), bytes);                                                             \
	}
	FOR_EACH_SIZE(turn->pixel_bytes, MAKE_BAND)
#undef MAKE_BAND
}

static const uint8_t *take_column(struct turn *turn)
{
	uint32_t place = turn->rows_out % BAND, left = turn->width - turn->rows_out;
	uint32_t count = left < BAND ? left : BAND;

	if (place == 0)
		make_band(turn,
		          from_last_column(turn->orientation) ? turn->width - turn->rows_out - count : turn->rows_out,
		          count);
	turn->rows_out++;
	return turn->band + place * upright_row(turn);
}

static const uint8_t *take_row(struct turn *turn)
{
	uint32_t row = from_last_row(turn->orientation) ? turn->height - 1 - turn->rows_out : turn->rows_out;
	const uint8_t *from = turn->rows;

	if (turn->orientation != TURN_MIRROR)
		from += (size_t)row * turn->width * turn->pixel_bytes;
	turn->rows_out++;
	if (!from_last_column(turn->orientation))
		return from;
	mirror(turn->band, from, turn->width, turn->pixel_bytes);
	return turn->band;
}

const uint8_t *turn_take(struct turn *turn)
{
	bool exchanges = turn_exchanges_sides(turn->orientation);
	uint32_t rows = exchanges ? turn->width : turn->height;

	if (turn->rows_out == rows ||
	    (turn->orientation == TURN_MIRROR ? turn->rows_out == turn->rows_in : turn->rows_in < turn->height))
		return NULL;
	return exchanges ? take_column(turn) : take_row(turn);
}
