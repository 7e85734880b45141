/* SPDX-License-Identifier: MIT */
#include "escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_printable(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f;
}

void escape_text(FILE *stream, const char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte == '\\')
			fputs("\\\\", stream);
		else if (byte == '\n')
			fputs("\\n", stream);
		else if (byte == '\t')
			fputs("\\t", stream);
		else if (is_printable(byte))
			fputc(byte, stream);
		else
			fprintf(stream, "\\x%02x", byte);
	}
}

/* Decodes one code point of strict UTF-8.  Returns how many bytes it takes, or 0 if they are none. */
static size_t decode_utf8(const unsigned char *text, uint32_t *code_point)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least; /* what a shorter form could not have said */
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };

	for (size_t extra = 0; extra < sizeof(forms) / sizeof(forms[0]); extra++) {
		if ((text[0] & forms[extra].mask) != forms[extra].lead)
			continue;
		uint32_t value = text[0] & (unsigned char)~forms[extra].mask;
		for (size_t i = 1; i <= extra; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | (text[i] & 0x3fU);
		}
		bool surrogate = value >= 0xd800 && value < 0xe000;
		*code_point = value;
		return value >= forms[extra].least && value <= 0x10ffff && !surrogate ? extra + 1 : 0;
	}
	return 0;
}

static void put_code_point(FILE *stream, uint32_t code_point)
{
	if (code_point < 0x80 && is_printable((unsigned char)code_point)) {
		if (code_point == '"' || code_point == '\\')
			fputc('\\', stream);
		fputc((int)code_point, stream);
	} else if (code_point < 0x10000) {
		fprintf(stream, "\\u%04x", code_point);
	} else {
		code_point -= 0x10000;
		fprintf(stream, "\\u%04x\\u%04x", 0xd800 + (code_point >> 10), 0xdc00 + (code_point & 0x3ff));
	}
}

void escape_json(FILE *stream, const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;

	fputc('"', stream);
	while (*byte) {
		uint32_t code_point = 0;
		size_t length = decode_utf8(byte, &code_point);
		if (length > 0)
			put_code_point(stream, code_point);
		else
			fprintf(stream, "\\udc%02x", *byte);
		byte += length > 0 ? length : 1;
	}
	fputc('"', stream);
}
