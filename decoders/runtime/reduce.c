/* SPDX-License-Identifier: MIT */
#include "reduce.h"

enum { CHANNELS_MOST = 4 };

/* What a pixel of each format is made of. */
static const struct layout {
	uint8_t channels;
	uint8_t sample_bytes; /* 2: big-endian */
	uint8_t weighted;     /* colours count by the alpha, the last channel */
} layouts[WIRE_PIXEL_FORMATS] = {
	[WIRE_BGRA] = { 4, 1, 1 },
	[WIRE_RGBA] = { 4, 1, 1 },
	[WIRE_BGRA_PREMULTIPLIED] = { 4, 1, 0 },
	[WIRE_RGBA_PREMULTIPLIED] = { 4, 1, 0 },
	[WIRE_RGB] = { 3, 1, 0 },
	[WIRE_BGR] = { 3, 1, 0 },
	[WIRE_GRAY] = { 1, 1, 0 },
	[WIRE_RGBA16] = { 4, 2, 1 },
};

static uint64_t get(const uint8_t *sample, const struct layout *layout)
{
	return layout->sample_bytes == 1 ? sample[0] : (uint64_t)sample[0] << 8 | sample[1];
}

static void put(uint8_t *sample, const struct layout *layout, uint64_t value)
{
	if (layout->sample_bytes == 2)
		*sample++ = (uint8_t)(value >> 8);
	*sample = (uint8_t)value;
}

/* At most 64 samples of 16 bits, times an alpha of 16 bits: far below 2^64. */
static void add_pixel(uint64_t *sums, const struct layout *layout, const uint8_t *pixel)
{
	size_t last = layout->channels - 1U;
	uint64_t weight = layout->weighted ? get(pixel + last * layout->sample_bytes, layout) : 1;

	for (size_t channel = 0; channel <= last; channel++) {
		uint64_t sample = get(pixel + channel * layout->sample_bytes, layout);
		sums[channel] += layout->weighted && channel == last ? sample : sample * weight;
	}
}

static uint64_t mean(uint64_t sum, uint64_t count)
{
	return count > 0 ? (sum + count / 2) / count : 0;
}

static void put_mean(uint8_t *pixel, const struct layout *layout, const uint64_t *sums, uint64_t count)
{
	size_t last = layout->channels - 1U;
	uint64_t weights = layout->weighted ? sums[last] : count;

	for (size_t channel = 0; channel <= last; channel++)
		put(pixel + channel * layout->sample_bytes, layout,
		    mean(sums[channel], layout->weighted && channel == last ? count : weights));
}

void reduce_rows(enum wire_pixel_format format, uint32_t factor, uint32_t width, const uint8_t *rows, size_t count,
                 uint8_t *reduced)
{
	const struct layout *layout = &layouts[format];
	size_t pixel_bytes = wire_pixel_bytes[format];
	size_t stride = width * pixel_bytes;

	for (uint32_t x = 0; x < width; x += factor, reduced += pixel_bytes) {
		uint64_t sums[CHANNELS_MOST] = { 0 };
		uint32_t columns = width - x < factor ? width - x : factor;
		for (size_t row = 0; row < count; row++)
			for (uint32_t column = 0; column < columns; column++)
				add_pixel(sums, layout, rows + row * stride + ((size_t)x + column) * pixel_bytes);
		put_mean(reduced, layout, sums, (uint64_t)count * columns);
	}
}
