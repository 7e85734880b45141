/* SPDX-License-Identifier: MIT */
#include "widen.h"

#include <stdbool.h>
#include <string.h>

#ifdef __x86_64__
#include <sys/platform/x86.h>
#include <tmmintrin.h>
#endif

#define OPAQUE UINT32_C(0xff000000)
#define COLOR UINT32_C(0x00ffffff)

uint32_t widen_sources(uint32_t pixel_formats)
{
	static const uint32_t sources[WIRE_PIXEL_FORMATS] = {
		[WIRE_BGRA] = WIRE_FORMAT_BIT(WIRE_RGB) | WIRE_FORMAT_BIT(WIRE_GRAY),
		[WIRE_RGBA] = WIRE_FORMAT_BIT(WIRE_RGB) | WIRE_FORMAT_BIT(WIRE_GRAY),
		[WIRE_BGRA_PREMULTIPLIED] = WIRE_FORMAT_BIT(WIRE_RGB) | WIRE_FORMAT_BIT(WIRE_GRAY),
		[WIRE_RGBA_PREMULTIPLIED] = WIRE_FORMAT_BIT(WIRE_RGB) | WIRE_FORMAT_BIT(WIRE_GRAY),
		[WIRE_GRAY_ALPHA] = WIRE_FORMAT_BIT(WIRE_GRAY),
		[WIRE_RGBA16] = WIRE_FORMAT_BIT(WIRE_RGB16) | WIRE_FORMAT_BIT(WIRE_GRAY16),
		[WIRE_GRAY_ALPHA16] = WIRE_FORMAT_BIT(WIRE_GRAY16),
	};
	bool one = pixel_formats != 0 && (pixel_formats & (pixel_formats - 1)) == 0;

	return one ? sources[__builtin_ctz(pixel_formats)] : 0;
}

/* To gray and alpha, and to 16 bits: copies gray as often as there are colours. */
static void widen_samples(enum wire_pixel_format from, enum wire_pixel_format to, uint8_t *wide, const uint8_t *narrow,
                          size_t count)
{
	size_t from_bytes = wire_pixel_bytes[from], to_bytes = wire_pixel_bytes[to];
	size_t sample = to == WIRE_GRAY_ALPHA ? 1 : 2;

	for (size_t i = 0; i < count; i++, narrow += from_bytes, wide += to_bytes) {
		size_t alpha = to_bytes - sample;
		for (size_t at = 0; at < alpha; at += from_bytes)
			memcpy(wide + at, narrow, from_bytes);
		memset(wide + alpha, 0xff, sample);
	}
}

static void widen_gray(uint8_t *wide, const uint8_t *gray, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t pixel = gray[i] * UINT32_C(0x010101) | OPAQUE;
		memcpy(wide + 4 * i, &pixel, sizeof(pixel));
	}
}

static void widen_rgb(uint8_t *wide, const uint8_t *rgb, size_t count, bool blue_first)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t pixel = 0;
		memcpy(&pixel, rgb + 3 * i, sizeof(pixel));
		pixel = blue_first ? __builtin_bswap32(pixel) >> 8 : pixel & COLOR;
		pixel |= OPAQUE;
		memcpy(wide + 4 * i, &pixel, sizeof(pixel));
	}
}

#ifdef __x86_64__
/* Four pixels at a time, as long as 16 bytes can be read.  Returns how many it did. */
__attribute__((target("ssse3"))) static size_t widen_rgb_ssse3(uint8_t *wide, const uint8_t *rgb, size_t count,
                                                               bool blue_first)
{
	const __m128i rgb_order = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
	const __m128i bgr_order = _mm_setr_epi8(2, 1, 0, -1, 5, 4, 3, -1, 8, 7, 6, -1, 11, 10, 9, -1);
	const __m128i order = blue_first ? bgr_order : rgb_order;
	const __m128i opaque = _mm_set1_epi32((int)OPAQUE);
	size_t done = 0;

	for (; count - done >= 6; done += 4) {
		__m128i pixels = _mm_loadu_si128((const __m128i *)(const void *)(rgb + 3 * done));
		pixels = _mm_or_si128(_mm_shuffle_epi8(pixels, order), opaque);
		_mm_storeu_si128((__m128i *)(void *)(wide + 4 * done), pixels);
	}
	return done;
}
#endif

void widen_pixels(enum wire_pixel_format from, enum wire_pixel_format to, uint8_t *wide, const uint8_t *narrow,
                  size_t count)
{
	bool blue_first = to == WIRE_BGRA || to == WIRE_BGRA_PREMULTIPLIED;
	size_t done = 0;

	if (to == WIRE_GRAY_ALPHA || to == WIRE_GRAY_ALPHA16 || to == WIRE_RGBA16) {
		widen_samples(from, to, wide, narrow, count);
		return;
	}
	if (from == WIRE_GRAY) {
		widen_gray(wide, narrow, count);
		return;
	}
#ifdef __x86_64__
	/* What the dynamic linker has found out already: to ask the processor again is costly in a virtual machine. */
	if (CPU_FEATURE_ACTIVE(SSSE3))
		done = widen_rgb_ssse3(wide, narrow, count, blue_first);
#endif
	widen_rgb(wide + 4 * done, narrow + 3 * done, count - done, blue_first);
}
