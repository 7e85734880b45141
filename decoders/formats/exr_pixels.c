/* SPDX-License-Identifier: MIT */
/* From samples to pixels. */
#include <string.h>

#include "decoders/pixels/halves.h"
#include "exr_decode.h"

void exr_load(const struct decode *decode, unsigned plane, const uint8_t *samples, size_t first, size_t count,
              float *to)
{
	const struct exr_form *form = &decode->form;
	exr_pixel_type_t type = form->channels->entries[form->planes[plane]].pixel_type;

	if (type == EXR_PIXEL_HALF) {
		for (size_t i = 0; i < count; i++) {
			uint16_t half = 0;
			memcpy(&half, samples + (first + i) * sizeof(half), sizeof(half));
			to[i] = half_to_float(half);
		}
	} else if (type == EXR_PIXEL_FLOAT) {
		memcpy(to, samples + first * sizeof(float), count * sizeof(float));
	} else {
		for (size_t i = 0; i < count; i++) {
			uint32_t number = 0;
			memcpy(&number, samples + (first + i) * sizeof(number), sizeof(number));
			to[i] = (float)number;
		}
	}
}

/* What is not a number is 0. */
static float cut(float alpha)
{
	return alpha > 0 ? alpha < 1 ? alpha : 1 : 0;
}

/* Light that nothing is behind, where alpha is 0, stays what it is. */
void exr_divide(const struct decode *decode, const float *const planes[EXR_PLANES], size_t count, float *to)
{
	const struct exr_form *form = &decode->form;
	const float *alphas = form->planes[EXR_ALPHA] >= 0 ? planes[EXR_ALPHA] : NULL;
	size_t samples = form->colors + (form->planes[EXR_ALPHA] >= 0);

	for (size_t x = 0; x < count; x++, to += samples) {
		float alpha = alphas ? cut(alphas[x]) : 1;
		float divisor = alpha > 0 ? alpha : 1;
		for (unsigned i = 0; i < form->colors; i++)
			to[i] = planes[i] ? planes[i][x] / divisor : 0;
		if (samples > form->colors)
			to[form->colors] = alpha;
	}
}
