/* SPDX-License-Identifier: MIT */
/* CIE L*a*b* with white of D50, as TIFF has it, to sRGB: by way of XYZ and Bradford's adaptation to D65. */
#include <math.h>
#include <string.h>

#include "tiff_decode.h"

/* To XYZ relative to the white. */
static float from_lab(float value)
{
	const float delta = 6.0F / 29.0F;

	return value > delta ? value * value * value : 3 * delta * delta * (value - 4.0F / 29.0F);
}

/* 0 to 1 with the transfer curve of sRGB. */
static float encode(float linear)
{
	if (!(linear > 0))
		return 0;
	if (linear >= 1)
		return 1;
	return linear <= 0.0031308F ? 12.92F * linear : 1.055F * powf(linear, 1 / 2.4F) - 0.055F;
}

static void lab_to_rgb(const float lab[3], float rgb[3])
{
	static const float white[3] = { 0.9642F, 1, 0.8249F };
	static const float matrix[3][3] = {
		{ 3.1338561F, -1.6168667F, -0.4906146F },
		{ -0.9787684F, 1.9161415F, 0.0334540F },
		{ 0.0719453F, -0.2289914F, 1.4052427F },
	};
	float y = (lab[0] + 16) / 116;
	const float xyz[3] = { white[0] * from_lab(y + lab[1] / 500), white[1] * from_lab(y),
		               white[2] * from_lab(y - lab[2] / 200) };

	for (int i = 0; i < 3; i++)
		rgb[i] = encode(matrix[i][0] * xyz[0] + matrix[i][1] * xyz[1] + matrix[i][2] * xyz[2]);
}

static void take_deep(bool offset, const uint8_t *sample, float lab[3])
{
	uint16_t values[3];

	memcpy(values, sample, sizeof(values));
	lab[0] = (float)values[0] * 100 / (offset ? 65280.0F : 65535.0F);
	for (int i = 1; i < 3; i++)
		lab[i] = offset ? (float)values[i] / 256 - 128 : (float)(int16_t)values[i] / 256;
}

static void take_small(bool offset, const uint8_t *sample, float lab[3])
{
	lab[0] = (float)sample[0] * 100 / 255;
	for (int i = 1; i < 3; i++)
		lab[i] = (float)(offset ? sample[i] - 128 : (int8_t)sample[i]);
}

void tiff_lab_pixel(const struct tiff_form *form, const uint8_t *sample, uint8_t *to)
{
	float lab[3], rgb[3];

	if (form->deep)
		take_deep(form->lab_offset, sample, lab);
	else
		take_small(form->lab_offset, sample, lab);
	lab_to_rgb(lab, rgb);
	for (size_t i = 0; i < 3; i++) {
		if (form->deep) {
			uint16_t value = (uint16_t)(rgb[i] * UINT16_MAX + 0.5F);
			memcpy(to + i * sizeof(value), &value, sizeof(value));
		} else {
			to[i] = (uint8_t)(rgb[i] * UINT8_MAX + 0.5F);
		}
	}
}
