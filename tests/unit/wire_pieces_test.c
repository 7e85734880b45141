/* SPDX-License-Identifier: MIT */
/* In how many pieces output may come: few for what is there already, and as many as it takes for what comes slowly. */
#include <criterion/criterion.h>
#include <string.h>

#include "broker/wire/reader.h"

/* A child that says HELLO and BYTES, and then its output in messages of one byte. */
struct child {
	struct wire_reader reader;
	uint8_t message[64];
	size_t size, given;
	uint64_t left, taken;
	bool counts; /* each piece answers one of its input */
	uint8_t room;
};

static void put(struct child *child, uint32_t kind, const void *payload, uint32_t size)
{
	struct wire_header header = { .kind = kind, .length = size };

	memcpy(child->message + child->size, &header, sizeof(header));
	if (size > 0)
		memcpy(child->message + child->size + sizeof(header), payload, size);
	child->size += sizeof(header) + size;
}

static ssize_t say(void *context, void *data, size_t size)
{
	static const struct wire_end end;
	struct child *child = context;

	if (child->given == child->size) {
		child->given = child->size = 0;
		if (child->left > 0)
			put(child, WIRE_DATA, "x", 1);
		else
			put(child, WIRE_END, &end, sizeof(end));
		child->left -= child->left > 0;
		child->reader.input_pieces += child->counts;
	}
	if (size > child->size - child->given)
		size = child->size - child->given;
	memcpy(data, child->message + child->given, size);
	child->given += size;
	return (ssize_t)size;
}

static struct outcome nothing(void *context)
{
	(void)context;
	return outcome_ok();
}

static void *reserve(void *context, size_t *size)
{
	*size = 1;
	return &((struct child *)context)->room;
}

static struct outcome commit(void *context, size_t size)
{
	((struct child *)context)->taken += size;
	return outcome_ok();
}

static struct outcome end(void *context, enum wire_failure damage, uint32_t notes)
{
	(void)context;
	(void)damage;
	(void)notes;
	return outcome_ok();
}

static struct outcome outcome_for(struct child *child, uint64_t pieces, bool counts)
{
	static const struct wire_hello hello = { .version = WIRE_VERSION };
	const struct wire_request request = {
		.version = WIRE_VERSION, .operation = WIRE_DECODE, .pixel_formats = 1, .max_output = UINT64_MAX
	};
	const struct wire_consumer consumer = {
		.context = child, .hello = nothing, .bytes = nothing, .reserve = reserve, .commit = commit, .end = end
	};

	*child = (struct child){ .left = pieces, .counts = counts };
	wire_reader_init(&child->reader, &request, &consumer);
	put(child, WIRE_HELLO, &hello, sizeof(hello));
	put(child, WIRE_BYTES, NULL, 0);
	while (wire_reader_step(&child->reader, say, child) != WIRE_PROGRESS_OVER)
		continue;
	return child->reader.outcome;
}

Test(wire_pieces, few_for_what_is_there)
{
	static struct child child;

	cr_expect_eq(outcome_for(&child, 200000, false).status, SDEC_OK);
	cr_expect_eq(child.taken, 200000);
	struct outcome outcome = outcome_for(&child, 1000000, false);
	cr_expect_eq(outcome.status, SDEC_KILLED);
	cr_expect_not_null(strstr(outcome.reason, "too many messages"));
	cr_expect_lt(child.taken, 300000);
}

/* A telephone's sound comes in pieces of 20 ms: after two hours the decoder was said to have lied. */
Test(wire_pieces, as_many_as_the_input)
{
	static struct child child;

	cr_expect_eq(outcome_for(&child, 1000000, true).status, SDEC_OK);
	cr_expect_eq(child.taken, 1000000);
}
