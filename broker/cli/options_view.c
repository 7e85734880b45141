/* SPDX-License-Identifier: MIT */
#include "options_view.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Digits of a number that is not above `most`.  Moves the text behind them. */
static bool take_number(const char **text, uint32_t most, uint32_t *number)
{
	const char *start = *text;
	uint64_t value = 0;

	for (; **text >= '0' && **text <= '9' && value <= most; ++*text)
		value = value * 10 + (uint64_t)(**text - '0');
	*number = (uint32_t)value;
	return *text != start && value <= most;
}

static bool take_sign(const char **text, char sign)
{
	if (**text != sign)
		return false;
	++*text;
	return true;
}

bool options_parse_crop(const char *text, struct wire_view *view)
{
	uint32_t *const numbers[] = { &view->crop_x, &view->crop_y, &view->crop_width, &view->crop_height };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if ((i > 0 && !take_sign(&text, ',')) || !take_number(&text, INT32_MAX, numbers[i]))
			return false;
	return *text == '\0' && view->crop_width > 0 && view->crop_height > 0;
}

bool options_parse_fit(const char *text, struct wire_view *view)
{
	view->fit_width = view->fit_height = 0;
	view->fit = WIRE_FIT_INSIDE;
	bool has_width = take_number(&text, WIRE_SIDE_MAX, &view->fit_width);
	bool has_sign = take_sign(&text, 'x');
	bool has_height = take_number(&text, WIRE_SIDE_MAX, &view->fit_height);
	bool both = has_width && has_height;
	if (both && take_sign(&text, '!'))
		view->fit = WIRE_FIT_EXACT;
	else if (both && take_sign(&text, '^'))
		view->fit = WIRE_FIT_COVER;
	return has_sign && *text == '\0' && (has_width || has_height) && has_width == (view->fit_width > 0) &&
	       has_height == (view->fit_height > 0);
}

bool options_parse_color(const char *text, uint32_t *color)
{
	static const struct {
		const char *name;
		uint32_t color;
	} names[] = {
		{ "black", 0x000000 }, { "white", 0xffffff }, { "gray", 0x808080 }, { "grey", 0x808080 },
		{ "red", 0xff0000 },   { "green", 0x008000 }, { "blue", 0x0000ff },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i].name) == 0) {
			*color = names[i].color;
			return true;
		}
	}
	(void)take_sign(&text, '#');
	size_t length = strlen(text);
	if ((length != 3 && length != 6) || strspn(text, "0123456789abcdefABCDEF") != length)
		return false;
	uint32_t digits = (uint32_t)strtoul(text, NULL, 16);
	/* Of three, each counts twice. */
	*color = length == 6 ? digits : (digits & 0xf00) * 0x1100 + (digits & 0xf0) * 0x110 + (digits & 0xf) * 0x11;
	return true;
}
