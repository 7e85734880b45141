/* SPDX-License-Identifier: MIT */
/* EXIF is three directories of a TIFF file: the picture, the exposure, the place.  Each is looked through once. */
#include "exif_tags.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "decoders/runtime/input.h"
#include "exif.h"

enum {
	TYPE_ASCII = 2,
	TYPE_SHORT = 3,
	TYPE_LONG = 4,
	TYPE_RATIONAL = 5,
	TEXT_SIZE = 64,
	ENTRIES_MAX = 1000, /* of a directory that are looked at */
};

/* Entries by their numbers, those of a place with the letter that they begin with. */
enum {
	DESCRIPTION = 0x010e,
	MAKE = 0x010f,
	MODEL = 0x0110,
	RESOLUTION_ACROSS = 0x011a,
	RESOLUTION_DOWN = 0x011b,
	RESOLUTION_UNIT = 0x0128,
	SOFTWARE = 0x0131,
	ARTIST = 0x013b,
	COPYRIGHT = 0x8298,
	EXPOSURE_TIME = 0x829a,
	F_NUMBER = 0x829d,
	EXPOSURE_DIRECTORY = 0x8769,
	PLACE_DIRECTORY = 0x8825,
	SENSITIVITY = 0x8827,
	TAKEN = 0x9003,
	FOCAL_LENGTH = 0x920a,
	COLOR_SPACE = 0xa001,
	LENS_MODEL = 0xa434,
	LATITUDE_SIDE = 1,
	LATITUDE = 2,
	LONGITUDE_SIDE = 3,
	LONGITUDE = 4,
	UNIT_CENTIMETRE = 3,
	SPACE_SRGB = 1,
};

struct block {
	struct session *session;
	const uint8_t *data;
	size_t size;
	bool big_endian;
	double across, down; /* density; 0: not told */
	uint32_t unit;       /* of it */
};

struct entry {
	uint32_t number, type, count;
	const uint8_t *value; /* as many bytes as type and count say, for the types that are known */
};

/* ---- numbers ---- */

/* The bytes of one value of a type that is known; 0: it is not. */
static size_t type_size(uint32_t type)
{
	static const uint8_t sizes[] = { [TYPE_ASCII] = 1, [TYPE_SHORT] = 2, [TYPE_LONG] = 4, [TYPE_RATIONAL] = 8 };

	return type < sizeof(sizes) ? sizes[type] : 0;
}

/* Returns false where its value is not inside the block, or of no type that is known. */
static bool read_entry(const struct block *block, const uint8_t *at, struct entry *entry)
{
	uint64_t size = 0;

	*entry = (struct entry){ input_16(at, block->big_endian), input_16(at + 2, block->big_endian),
		                 input_32(at + 4, block->big_endian), at + 8 };
	size = (uint64_t)entry->count * type_size(entry->type);
	if (size == 0)
		return false;
	if (size <= 4)
		return true;
	uint32_t offset = input_32(at + 8, block->big_endian);
	if (offset > block->size || size > block->size - offset)
		return false;
	entry->value = block->data + offset;
	return true;
}

/* One of the values, a number; 0 where there is none. */
static double number_at(const struct block *block, const struct entry *entry, uint32_t index)
{
	const uint8_t *at = entry->value + (size_t)index * type_size(entry->type);

	if (index >= entry->count)
		return 0;
	switch (entry->type) {
	case TYPE_SHORT:
		return input_16(at, block->big_endian);
	case TYPE_LONG:
		return input_32(at, block->big_endian);
	case TYPE_RATIONAL:
		return input_32(at + 4, block->big_endian) > 0
		               ? (double)input_32(at, block->big_endian) / input_32(at + 4, block->big_endian)
		               : 0;
	default:
		return 0;
	}
}

/* ---- text ---- */

static void tell(const struct block *block, enum wire_tag tag, const char *text)
{
	session_picture_tag(block->session, tag, text, strlen(text));
}

/* Text of the file, without the blanks that some cameras fill it up with. */
static void tell_text(const struct block *block, enum wire_tag tag, const struct entry *entry)
{
	const char *text = (const char *)entry->value;
	size_t size = entry->type == TYPE_ASCII ? strnlen(text, entry->count) : 0;

	while (size > 0 && text[size - 1] == ' ')
		size--;
	session_picture_tag(block->session, tag, text, size);
}

/* With so many digits behind the point, but no zeros at the end.  What is out of range is left out. */
static bool put_decimal(char text[TEXT_SIZE], double value, unsigned digits)
{
	static const uint64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };
	uint64_t power = powers[digits];

	if (!(value >= 0 && value < 1e9))
		return false;
	uint64_t scaled = (uint64_t)(value * (double)power + 0.5);
	while (digits > 0 && scaled % 10 == 0) {
		scaled /= 10;
		power /= 10;
		digits--;
	}
	if (digits == 0)
		(void)snprintf(text, TEXT_SIZE, "%llu", (unsigned long long)scaled);
	else
		(void)snprintf(text, TEXT_SIZE, "%llu.%0*llu", (unsigned long long)(scaled / power), (int)digits,
		               (unsigned long long)(scaled % power));
	return true;
}

static void tell_decimal(const struct block *block, enum wire_tag tag, double value, unsigned digits)
{
	char text[TEXT_SIZE];

	if (value > 0 && put_decimal(text, value, digits))
		tell(block, tag, text);
}

/* As cameras show it: a fraction, where it is shorter than a third of a second or so. */
static void tell_exposure(const struct block *block, double seconds)
{
	char below[TEXT_SIZE], text[TEXT_SIZE + 2];

	if (seconds >= 0.3)
		tell_decimal(block, WIRE_TAG_EXPOSURE, seconds, 1);
	else if (seconds > 0 && put_decimal(below, 1 / seconds, 0)) {
		(void)snprintf(text, sizeof(text), "1/%s", below);
		tell(block, WIRE_TAG_EXPOSURE, text);
	}
}

/* ---- directories ---- */

static void take_picture_entry(struct block *block, const struct entry *entry)
{
	switch (entry->number) {
	case DESCRIPTION:
		return tell_text(block, WIRE_TAG_DESCRIPTION, entry);
	case MAKE:
		return tell_text(block, WIRE_TAG_MAKE, entry);
	case MODEL:
		return tell_text(block, WIRE_TAG_MODEL, entry);
	case SOFTWARE:
		return tell_text(block, WIRE_TAG_SOFTWARE, entry);
	case ARTIST:
		return tell_text(block, WIRE_TAG_ARTIST, entry);
	case COPYRIGHT:
		return tell_text(block, WIRE_TAG_COPYRIGHT, entry);
	case RESOLUTION_ACROSS:
		block->across = number_at(block, entry, 0);
		break;
	case RESOLUTION_DOWN:
		block->down = number_at(block, entry, 0);
		break;
	case RESOLUTION_UNIT:
		block->unit = (uint32_t)number_at(block, entry, 0);
		break;
	default:
		break;
	}
}

static void take_exposure_entry(struct block *block, const struct entry *entry)
{
	switch (entry->number) {
	case EXPOSURE_TIME:
		return tell_exposure(block, number_at(block, entry, 0));
	case F_NUMBER:
		return tell_decimal(block, WIRE_TAG_APERTURE, number_at(block, entry, 0), 1);
	case SENSITIVITY:
		return tell_decimal(block, WIRE_TAG_ISO, number_at(block, entry, 0), 0);
	case TAKEN:
		return tell_text(block, WIRE_TAG_TAKEN, entry);
	case FOCAL_LENGTH:
		return tell_decimal(block, WIRE_TAG_FOCAL_LENGTH, number_at(block, entry, 0), 1);
	case LENS_MODEL:
		return tell_text(block, WIRE_TAG_LENS, entry);
	case COLOR_SPACE:
		if (number_at(block, entry, 0) == SPACE_SRGB)
			tell(block, WIRE_TAG_PROFILE, "sRGB");
		break;
	default:
		break;
	}
}

/* Degrees, minutes and seconds. */
static double degrees(const struct block *block, const struct entry *entry)
{
	return number_at(block, entry, 0) + number_at(block, entry, 1) / 60 + number_at(block, entry, 2) / 3600;
}

static bool is_side(const struct entry *entry, char side)
{
	return entry->type == TYPE_ASCII && entry->value[0] == (uint8_t)side;
}

struct place {
	double latitude, longitude;
	bool south, west, has_latitude, has_longitude;
};

static void take_place_entry(const struct block *block, const struct entry *entry, struct place *place)
{
	switch (entry->number) {
	case LATITUDE_SIDE:
		place->south = is_side(entry, 'S');
		break;
	case LATITUDE:
		place->latitude = degrees(block, entry);
		place->has_latitude = entry->type == TYPE_RATIONAL && entry->count == 3;
		break;
	case LONGITUDE_SIDE:
		place->west = is_side(entry, 'W');
		break;
	case LONGITUDE:
		place->longitude = degrees(block, entry);
		place->has_longitude = entry->type == TYPE_RATIONAL && entry->count == 3;
		break;
	default:
		break;
	}
}

static void tell_place(const struct block *block, const struct place *place)
{
	enum { MILLION = 1000000 };
	char text[TEXT_SIZE];

	if (!place->has_latitude || !place->has_longitude || !(place->latitude <= 90) || !(place->longitude <= 180))
		return;
	uint32_t down = (uint32_t)(place->latitude * MILLION + 0.5),
	         across = (uint32_t)(place->longitude * MILLION + 0.5);
	(void)snprintf(text, sizeof(text), "%s%u.%06u,%s%u.%06u", place->south ? "-" : "", down / MILLION,
	               down % MILLION, place->west ? "-" : "", across / MILLION, across % MILLION);
	tell(block, WIRE_TAG_POSITION, text);
}

enum directory { PICTURE, EXPOSURE, PLACE, DIRECTORIES };

/* Looks through one directory; where the others are goes to `offsets`. */
static void read_directory(struct block *block, enum directory directory, uint32_t offsets[DIRECTORIES])
{
	struct place place = { 0 };
	size_t at = offsets[directory];

	if (at < EXIF_HEADER_SIZE || at > block->size || block->size - at < 2)
		return;
	uint32_t left = input_16(block->data + at, block->big_endian);
	left = left < ENTRIES_MAX ? left : ENTRIES_MAX;
	for (at += 2; left > 0 && block->size - at >= EXIF_ENTRY_SIZE; left--, at += EXIF_ENTRY_SIZE) {
		struct entry entry;
		if (!read_entry(block, block->data + at, &entry))
			continue;
		if (directory == PICTURE && entry.number == EXPOSURE_DIRECTORY)
			offsets[EXPOSURE] = (uint32_t)number_at(block, &entry, 0);
		else if (directory == PICTURE && entry.number == PLACE_DIRECTORY)
			offsets[PLACE] = (uint32_t)number_at(block, &entry, 0);
		else if (directory == PICTURE)
			take_picture_entry(block, &entry);
		else if (directory == EXPOSURE)
			take_exposure_entry(block, &entry);
		else
			take_place_entry(block, &entry, &place);
	}
	tell_place(block, &place);
}

/* ---- the whole ---- */

void exif_send_density(struct session *session, double across, double down)
{
	char first[TEXT_SIZE], second[TEXT_SIZE], text[2 * TEXT_SIZE];

	if (!(across > 0) || !(down > 0) || !put_decimal(first, across, 2) || !put_decimal(second, down, 2))
		return;
	(void)snprintf(text, sizeof(text), "%sx%s", first, second);
	session_picture_tag(session, WIRE_TAG_DENSITY, text, strlen(text));
}

void exif_send(struct session *session, const uint8_t *data, size_t size)
{
	struct block block = { .session = session, .data = data, .size = size };
	uint32_t offsets[DIRECTORIES] = { 0 };

	session_blob(session, WIRE_BLOB_EXIF, data, size);
	if (!session_wants_tags(session) || !exif_open(data, size, &block.big_endian, &offsets[PICTURE]))
		return;
	for (int directory = PICTURE; directory < DIRECTORIES; directory++)
		read_directory(&block, (enum directory)directory, offsets);
	double scale = block.unit == UNIT_CENTIMETRE ? 2.54 : 1;
	exif_send_density(session, block.across * scale, block.down * scale);
}

void exif_send_prefixed(struct session *session, const uint8_t *data, size_t size)
{
	size_t prefix = exif_prefix(data, size);

	exif_send(session, data + prefix, size - prefix);
}
