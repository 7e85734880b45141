/* SPDX-License-Identifier: MIT */
/* The shape of sound in one line.  How long it is, nobody knows beforehand: when the line is full, each two of its
 * spans become one. */
#include <string.h>

#include "formats.h"

enum { SPANS = sizeof(((struct waveform *)0)->peaks) / sizeof(uint16_t), FIRST_SPAN = 16 };

static void halve(struct waveform *waveform)
{
	for (size_t i = 0; i < SPANS / 2; i++) {
		uint16_t first = waveform->peaks[2 * i];
		uint16_t second = waveform->peaks[2 * i + 1];
		waveform->peaks[i] = first > second ? first : second;
	}
	memset(waveform->peaks + SPANS / 2, 0, sizeof(waveform->peaks) / 2);
	waveform->filled = SPANS / 2;
	waveform->span *= 2;
}

void waveform_add(struct waveform *waveform, const uint8_t *samples, size_t count)
{
	if (waveform->span == 0)
		waveform->span = waveform->left = FIRST_SPAN;
	for (size_t i = 0; i < count; i++) {
		int16_t sample = (int16_t)(samples[2 * i] | samples[2 * i + 1] << 8);
		uint16_t height = (uint16_t)(sample < 0 ? -(sample + 1) : sample);
		if (height > waveform->peaks[waveform->filled])
			waveform->peaks[waveform->filled] = height;
		if (--waveform->left > 0)
			continue;
		if (++waveform->filled == SPANS)
			halve(waveform);
		waveform->left = waveform->span;
	}
}

/* The highest of the spans that a column stands for. */
static unsigned column_peak(const struct waveform *waveform, size_t spans, size_t column, size_t columns)
{
	unsigned peak = 0;

	for (size_t i = column * spans / columns; i < (column + 1) * spans / columns; i++)
		if (waveform->peaks[i] > peak)
			peak = waveform->peaks[i];
	return peak;
}

size_t waveform_draw(const struct waveform *waveform, size_t columns, bool blocks, char text[WAVEFORM_TEXT])
{
	static const char ascii[] = " .:-=+*#";
	bool begun = waveform->span > 0 && waveform->left < waveform->span && waveform->filled < SPANS;
	size_t spans = waveform->filled + (begun ? 1 : 0);
	size_t length = 0;

	if (columns > spans)
		columns = spans;
	for (size_t column = 0; column < columns; column++) {
		unsigned height = column_peak(waveform, spans, column, columns) / (0x8000 / 8);
		if (blocks) {
			/* U+2581 to U+2588 */
			text[length++] = '\xe2';
			text[length++] = '\x96';
			text[length++] = (char)(0x81 + height);
		} else {
			text[length++] = ascii[height];
		}
	}
	text[length++] = '\n';
	return length;
}
