/* SPDX-License-Identifier: MIT */
/* Text on the screen. */
#include <stdio.h>
#include <string.h>

#include "viewer.h"
#include "viewer_font.h"

enum {
	CARD_COLOR = 0x2b1d1d,
	EDGE_COLOR = 0xc0392b,
	HEADING_COLOR = 0xff8a7a,
	TEXT_COLOR = 0xe8e8e8,
	CORNER_COLOR = 0x202020,
	PLAIN_COLOR = 0xa0a0a0,
	CORNER_SCALE = 2,
	MARGIN = 20,
	LINE_GAP = 5,
	LINES_MAX = 6, /* of each part of a card */
};

void text_name(char *to, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash && slash[1] != '\0' ? slash + 1 : path;
	size_t length = 0;

	for (; *name != '\0' && length + sizeof("\\xff") <= size; name++) {
		unsigned char byte = (unsigned char)*name;
		if (byte >= 0x20 && byte < 0x7f && byte != '\\')
			to[length++] = (char)byte;
		else
			length += (size_t)snprintf(to + length, size - length, "\\x%02x", byte);
	}
	to[length] = '\0';
}

static void draw_character(struct screen *screen, int x, int y, int scale, uint32_t rgb, char character)
{
	unsigned index = (unsigned char)character - (unsigned)FONT_FIRST;

	if (index >= FONT_CHARACTERS)
		return;
	for (int row = 0; row < FONT_HEIGHT; row++)
		for (int column = 0; column < FONT_WIDTH; column++)
			if (font[index][row] & (0x80U >> column))
				screen_fill(screen,
				            &(struct rectangle){ x + column * scale, y + row * scale, scale, scale },
				            rgb);
}

void text_corner(struct screen *screen, const char *text)
{
	int height = FONT_HEIGHT * CORNER_SCALE;
	int width = (int)strlen(text) * FONT_WIDTH * CORNER_SCALE;
	int y = screen->height - MARGIN - height;
	const struct rectangle behind = { MARGIN - LINE_GAP, y - LINE_GAP, width + 2 * LINE_GAP,
		                          height + 2 * LINE_GAP };

	screen_fill(screen, &behind, CORNER_COLOR);
	for (int x = MARGIN; *text != '\0' && x < screen->width; text++, x += FONT_WIDTH * CORNER_SCALE)
		draw_character(screen, x, y, CORNER_SCALE, PLAIN_COLOR, *text);
}

/* A part of a card: text that is broken into lines. */
struct paragraph {
	const char *text;
	int scale;
	uint32_t rgb;
	int lines;
	const char *starts[LINES_MAX];
	size_t lengths[LINES_MAX];
};

/* Breaks at blanks where there are any, else anywhere. */
static void break_lines(struct paragraph *paragraph, int width)
{
	const char *rest = paragraph->text;
	size_t most = width > FONT_WIDTH * paragraph->scale ? (size_t)(width / (FONT_WIDTH * paragraph->scale)) : 1;

	for (; *rest != '\0' && paragraph->lines < LINES_MAX; paragraph->lines++) {
		size_t length = strlen(rest);
		if (length > most) {
			length = most;
			while (length > 0 && rest[length] != ' ')
				length--;
			length = length > 0 ? length : most;
		}
		paragraph->starts[paragraph->lines] = rest;
		paragraph->lengths[paragraph->lines] = length;
		rest += length;
		rest += strspn(rest, " ");
	}
}

static int paragraph_height(const struct paragraph *paragraph)
{
	return paragraph->lines * (FONT_HEIGHT * paragraph->scale + LINE_GAP);
}

static void draw_paragraph(struct screen *screen, int x, int y, const struct paragraph *paragraph)
{
	for (int line = 0; line < paragraph->lines; line++) {
		for (size_t i = 0; i < paragraph->lengths[line]; i++)
			draw_character(screen, x + (int)i * FONT_WIDTH * paragraph->scale, y, paragraph->scale,
			               paragraph->rgb, paragraph->starts[line][i]);
		y += FONT_HEIGHT * paragraph->scale + LINE_GAP;
	}
}

void text_card(struct screen *screen, const char *heading, const char *name, const char *why, bool below)
{
	struct paragraph parts[] = {
		{ .text = heading, .scale = 3, .rgb = HEADING_COLOR },
		{ .text = why, .scale = 2, .rgb = TEXT_COLOR },
		{ .text = name, .scale = 2, .rgb = TEXT_COLOR },
	};
	enum { PARTS = sizeof(parts) / sizeof(parts[0]) };
	int width = screen->width - 2 * MARGIN < 760 ? screen->width - 2 * MARGIN : 760;
	int height = MARGIN;

	for (int i = 0; i < PARTS; i++) {
		break_lines(&parts[i], width - 2 * MARGIN);
		height += paragraph_height(&parts[i]) + MARGIN;
	}
	int x = (screen->width - width) / 2;
	int y = below ? screen->height - height - MARGIN : (screen->height - height) / 2;
	screen_fill(screen, &(struct rectangle){ x - 2, y - 2, width + 4, height + 4 }, EDGE_COLOR);
	screen_fill(screen, &(struct rectangle){ x, y, width, height }, CARD_COLOR);
	y += MARGIN;
	for (int i = 0; i < PARTS; i++) {
		draw_paragraph(screen, x + MARGIN, y, &parts[i]);
		y += paragraph_height(&parts[i]) + MARGIN;
	}
}
