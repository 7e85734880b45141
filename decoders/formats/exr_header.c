/* SPDX-License-Identifier: MIT */
/*
 * The headers of the parts, which are lists of attributes: a name and a type, which end with a zero byte each, a size,
 * and a value.  The library parses them again; it does not say where they end, takes a length that the input does not
 * have for a matter of memory, and a compression that it does not know for damage.
 */
#include <string.h>

#include "decoders/runtime/input.h"
#include "exr_decode.h"

enum {
	START_SIZE = 8, /* the mark, the version and its flags */
	VERSION = 2,
	NAME_MAX = 255,
	FLAG_MULTIPART = 0x1000,
	FLAGS_KNOWN = 0x1e00,
	CHANNELS_SIZE_MAX = 128 << 10, /* bytes that describe the channels of a part */
};

struct walk {
	struct exr_input *input;
	uint64_t at;
};

static session_result short_of(const struct walk *walk)
{
	return walk->input->no_memory ? WIRE_FAIL_LIMIT_MEMORY : WIRE_FAIL_TRUNCATED;
}

static session_result read_start(struct decode *decode, struct walk *walk)
{
	static const uint8_t mark[] = { 0x76, 0x2f, 0x31, 0x01 };
	uint8_t start[START_SIZE];
	int64_t size = exr_copy(&decode->input, 0, start, sizeof(start));

	if (size <= 0)
		return size < 0 ? WIRE_FAIL_LIMIT_MEMORY : WIRE_FAIL_EMPTY;
	if (memcmp(start, mark, (size_t)size < sizeof(mark) ? (size_t)size : sizeof(mark)) != 0)
		return WIRE_FAIL_SIGNATURE;
	if ((size_t)size < sizeof(start))
		return WIRE_FAIL_TRUNCATED;
	uint32_t version = input_le32(start + sizeof(mark));
	if ((version & 0xff) != VERSION || (version & ~0xffU & ~(uint32_t)FLAGS_KNOWN) != 0)
		return WIRE_FAIL_UNSUPPORTED;
	decode->multipart = (version & FLAG_MULTIPART) != 0;
	walk->at = sizeof(start);
	return WIRE_OK;
}

/* A text that ends with a zero byte, which counts in its size. */
static session_result read_text(struct walk *walk, char text[NAME_MAX + 1], size_t *size)
{
	for (*size = 0; *size <= NAME_MAX; (*size)++) {
		const uint8_t *byte = exr_bytes(walk->input, walk->at, 1);
		if (!byte)
			return short_of(walk);
		text[*size] = (char)*byte;
		walk->at++;
		if (*byte == '\0') {
			(*size)++;
			return WIRE_OK;
		}
	}
	return WIRE_FAIL_HEADER;
}

/* One attribute; or the end of the header: *end. */
static session_result read_attribute(struct walk *walk, bool *end)
{
	char name[NAME_MAX + 1], type[NAME_MAX + 1];
	size_t size = 0;
	session_result result = read_text(walk, name, &size);

	*end = size == 1;
	if (result != WIRE_OK || *end)
		return result;
	result = read_text(walk, type, &size);
	if (result != WIRE_OK)
		return result;
	const uint8_t *bytes = exr_bytes(walk->input, walk->at, sizeof(uint32_t));
	if (!bytes)
		return short_of(walk);
	uint32_t length = input_le32(bytes);
	if (length > INT32_MAX)
		return WIRE_FAIL_HEADER;
	walk->at += sizeof(uint32_t);
	bytes = exr_bytes(walk->input, walk->at, length);
	if (!bytes)
		return short_of(walk);
	walk->at += length;
	/* The library counts channels in 16 bits, and sorts them one by one. */
	if (strcmp(type, "chlist") == 0 && length > CHANNELS_SIZE_MAX)
		return WIRE_FAIL_UNSUPPORTED;
	if (strcmp(name, "compression") == 0 && length == 1 && bytes[0] >= EXR_COMPRESSION_LAST_TYPE)
		return WIRE_FAIL_UNSUPPORTED;
	return WIRE_OK;
}

static session_result read_header(struct walk *walk)
{
	session_result result = WIRE_OK;
	bool end = false;

	while (result == WIRE_OK && !end)
		result = read_attribute(walk, &end);
	return result;
}

session_result exr_walk_headers(struct decode *decode)
{
	struct walk walk = { .input = &decode->input };
	session_result result = read_start(decode, &walk);
	bool end = false;

	/* After the last of several is another zero byte. */
	for (int parts = 0; result == WIRE_OK && !end; parts++) {
		if (parts == EXR_PARTS_MAX)
			return WIRE_FAIL_UNSUPPORTED;
		result = read_header(&walk);
		end = !decode->multipart;
		const uint8_t *next = result == WIRE_OK && !end ? exr_bytes(&decode->input, walk.at, 1) : NULL;
		if (next && *next == '\0') {
			end = true;
			walk.at++;
		} else if (result == WIRE_OK && !end && !next) {
			result = short_of(&walk);
		}
	}
	decode->header_end = walk.at;
	return result;
}
