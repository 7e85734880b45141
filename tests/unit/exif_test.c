/* SPDX-License-Identifier: MIT */
/* The EXIF parser, on blocks built field by field. */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/exif.h"

enum {
	SHORT = 3,
	LONG = 4,
	ASCII = 2,
	MAKE = 0x010f,
	ORIENTATION = 0x0112,
	BLOCK_SIZE = 8 + 2 + 2 * 12 + 4,
};

struct block {
	bool big_endian;
	uint8_t data[BLOCK_SIZE];
	size_t size;
};

static void put(struct block *block, uint32_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		size_t shift = 8 * (block->big_endian ? bytes - 1 - i : i);
		block->data[block->size++] = (uint8_t)(value >> shift);
	}
}

static void put_entry(struct block *block, uint32_t tag, uint32_t type, uint32_t count, uint32_t value)
{
	put(block, tag, 2);
	put(block, type, 2);
	put(block, count, 4);
	put(block, value, type == SHORT ? 2 : 4);
	if (type == SHORT)
		put(block, 0, 2);
}

/* A block whose only directory has a Make and an Orientation. */
static struct block make_block(bool big_endian, uint32_t type, uint32_t count, uint32_t value)
{
	struct block block = { .big_endian = big_endian };

	put(&block, big_endian ? 0x4d4d : 0x4949, 2); /* MM or II */
	put(&block, 42, 2);
	put(&block, 8, 4); /* where the directory is */
	put(&block, 2, 2); /* entries */
	put_entry(&block, MAKE, ASCII, 4, 0x41414100);
	put_entry(&block, ORIENTATION, type, count, value);
	put(&block, 0, 4); /* no second directory */
	return block;
}

static uint32_t orientation_of(struct block block)
{
	return exif_orientation(block.data, block.size);
}

Test(exif, every_orientation_in_both_byte_orders)
{
	for (uint32_t value = 1; value <= 8; value++) {
		cr_expect_eq(orientation_of(make_block(false, SHORT, 1, value)), value);
		cr_expect_eq(orientation_of(make_block(true, SHORT, 1, value)), value);
		cr_expect_eq(orientation_of(make_block(false, LONG, 1, value)), value);
		cr_expect_eq(orientation_of(make_block(true, LONG, 1, value)), value);
	}
}

Test(exif, values_out_of_range_say_nothing)
{
	cr_expect_eq(orientation_of(make_block(false, SHORT, 1, 0)), 0);
	cr_expect_eq(orientation_of(make_block(false, SHORT, 1, 9)), 0);
	cr_expect_eq(orientation_of(make_block(true, SHORT, 1, 0xffff)), 0);
	cr_expect_eq(orientation_of(make_block(true, LONG, 1, 0x10001)), 0);
}

Test(exif, other_types_and_counts_say_nothing)
{
	cr_expect_eq(orientation_of(make_block(false, ASCII, 1, 6)), 0);
	cr_expect_eq(orientation_of(make_block(false, SHORT, 0, 6)), 0);
	cr_expect_eq(orientation_of(make_block(false, SHORT, 2, 6)), 0);
	cr_expect_eq(orientation_of(make_block(false, SHORT, UINT32_MAX, 6)), 0);
}

Test(exif, wrong_header_says_nothing)
{
	for (size_t i = 0; i < 4; i++) {
		struct block block = make_block(false, SHORT, 1, 6);
		block.data[i] ^= 1;
		cr_expect_eq(orientation_of(block), 0, "byte %zu", i);
	}
}

Test(exif, directory_outside_says_nothing)
{
	static const uint32_t offsets[] = { BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, INT32_MAX, UINT32_MAX };

	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		struct block block = make_block(true, SHORT, 1, 6);
		block.size = 4;
		put(&block, offsets[i], 4);
		block.size = BLOCK_SIZE;
		cr_expect_eq(orientation_of(block), 0, "offset %u", offsets[i]);
	}
}

Test(exif, more_entries_announced_than_there_are)
{
	struct block block = make_block(false, SHORT, 1, 6);

	block.data[8] = block.data[9] = 0xff;
	cr_expect_eq(orientation_of(block), 6);
	block.data[22] ^= 1; /* the tag */
	cr_expect_eq(orientation_of(block), 0);
}

/* Each cut has a heap block of its own, so that address sanitizer or valgrind sees the first byte read too many. */
Test(exif, cut_at_every_byte)
{
	struct block block = make_block(true, SHORT, 1, 6);

	for (size_t size = 0; size <= block.size; size++) {
		uint8_t *cut = malloc(size);
		cr_assert(cut || size == 0);
		if (size > 0)
			memcpy(cut, block.data, size);
		cr_expect_eq(exif_orientation(cut, size), size < BLOCK_SIZE - 4 ? 0 : 6, "%zu bytes", size);
		free(cut);
	}
}
