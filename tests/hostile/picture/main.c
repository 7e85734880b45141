/* SPDX-License-Identifier: MIT */
/*
 * A decoder that attacks, for the tests alone: it plays one that was taken over.  Its input is eight bytes that say
 * what it poses as ("HOSTILE " a picture, "HOSTBYT " bytes, "HOSTSND " sound) and a command, of which the table below
 * has the names.  What the kernel refuses is in kernel.c and memory.c, what the wire reader refuses in wire.c and here.
 *
 * An attack that ought to be fatal and is not sends its answer as bytes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hostile.h"

void say(uint32_t kind, uint32_t length, const void *payload, size_t size)
{
	struct wire_header header = { .kind = kind, .length = length };

	if (write(STDOUT_FILENO, &header, sizeof(header)) < 0 || (size > 0 && write(STDOUT_FILENO, payload, size) < 0))
		syscall(SYS_exit, 1);
}

session_result answer(const char *text)
{
	say(WIRE_BYTES, 0, NULL, 0);
	say(WIRE_DATA, (uint32_t)strlen(text), text, strlen(text));
	return SESSION_STOP;
}

static session_result segfault(struct session *session, const struct arguments *arguments)
{
	volatile char *nowhere = (volatile char *)arguments->first;

	(void)session;
	*nowhere = 1;
	return WIRE_OK;
}

static session_result spin(struct session *session, const struct arguments *arguments)
{
	(void)session;
	while (arguments)
		__asm__ volatile("");
	return WIRE_OK;
}

static session_result leave(struct session *session, const struct arguments *arguments)
{
	(void)session;
	syscall(SYS_exit, (long)arguments->first);
	return WIRE_OK;
}

static session_result message(struct session *session, const struct arguments *arguments)
{
	static const uint8_t payload[4096];

	(void)session;
	say((uint32_t)arguments->first, (uint32_t)arguments->second, payload,
	    arguments->second < sizeof(payload) ? arguments->second : sizeof(payload));
	return WIRE_OK;
}

session_result begin_picture(struct session *session, const struct arguments *arguments, struct wire_image *image)
{
	*image = (struct wire_image){ .width = (uint32_t)arguments->first,
		                      .height = (uint32_t)arguments->second,
		                      .frames = 1,
		                      .color = WIRE_COLOR_RGB,
		                      .channels = 3,
		                      .depth = 8 };
	image->pixel_format = session_choose_format(session, image);
	session_result result = session_image(session, image);
	return result == WIRE_OK ? session_frame(session, 0) : result;
}

static session_result send_rows(struct session *session, uint32_t rows)
{
	while (rows > 0) {
		uint8_t *room = NULL;
		size_t count = 0;
		session_result result = session_rows(session, &room, &count);
		if (result != WIRE_OK)
			return result;
		if (count > rows)
			count = rows;
		memset(room, 0x5a, count);
		result = session_commit_rows(session, count);
		if (result != WIRE_OK)
			return result;
		rows -= (uint32_t)count;
	}
	return WIRE_OK;
}

session_result picture(struct session *session, const struct arguments *arguments)
{
	struct wire_image image;
	session_result result = begin_picture(session, arguments, &image);

	return result == WIRE_OK ? send_rows(session, image.height) : result;
}

static session_result too_short(struct session *session, const struct arguments *arguments)
{
	struct wire_image image;
	session_result result = begin_picture(session, arguments, &image);

	return result == WIRE_OK ? send_rows(session, image.height / 2) : result;
}

/* WIDTH HEIGHT FRAMES, of which none comes. */
static session_result announce_only(struct session *session, const struct arguments *arguments)
{
	struct wire_image image = { .width = (uint32_t)arguments->first,
		                    .height = (uint32_t)arguments->second,
		                    .frames = (uint32_t)arguments->third,
		                    .color = WIRE_COLOR_RGB,
		                    .channels = 3,
		                    .depth = 8 };

	image.pixel_format = session_choose_format(session, &image);
	say(WIRE_IMAGE, sizeof(image), &image, sizeof(image));
	return leave(session, &(struct arguments){ .first = 0 });
}

/* Not through the session, which would not do such a thing. */
static void say_picture(struct session *session, const struct arguments *arguments, unsigned long rows)
{
	struct wire_image image = { .width = (uint32_t)arguments->first,
		                    .height = (uint32_t)arguments->second,
		                    .frames = 1,
		                    .color = WIRE_COLOR_RGB,
		                    .channels = 3,
		                    .depth = 8 };
	struct wire_frame frame = { .delay = 0 };
	static const uint8_t pixels[4096];

	image.pixel_format = session_choose_format(session, &image);
	say(WIRE_IMAGE, sizeof(image), &image, sizeof(image));
	say(WIRE_FRAME, sizeof(frame), &frame, sizeof(frame));
	uint32_t row = image.width * wire_pixel_bytes[image.pixel_format];
	for (unsigned long i = 0; i < rows; i++)
		say(WIRE_PIXELS, row, pixels, row);
}

static session_result too_long(struct session *session, const struct arguments *arguments)
{
	say_picture(session, arguments, arguments->second + 1);
	return WIRE_OK;
}

static session_result flood(struct session *session, const struct arguments *arguments)
{
	static const uint8_t data[4096];

	(void)session;
	say(WIRE_BYTES, 0, NULL, 0);
	while (arguments)
		say(WIRE_DATA, sizeof(data), data, sizeof(data));
	return WIRE_OK;
}

/* The picture in messages of one byte, many of them a write, so that they cost this side next to nothing. */
static session_result drip(struct session *session, const struct arguments *arguments)
{
	enum { SIZE = sizeof(struct wire_header) + 1, MESSAGES = 7000 };
	static const struct wire_header header = { .kind = WIRE_PIXELS, .length = 1 };
	static uint8_t drops[MESSAGES * SIZE];

	for (size_t i = 0; i < MESSAGES; i++)
		memcpy(drops + i * SIZE, &header, sizeof(header));
	say_picture(session, arguments, 0);
	while (write(STDOUT_FILENO, drops, sizeof(drops)) > 0)
		;
	return WIRE_OK;
}

static session_result allocate(struct session *session, const struct arguments *arguments)
{
	static const struct arguments small = { .first = 4, .second = 4 };
	size_t size = arguments->first << 20;
	char *memory = malloc(size);

	if (!memory)
		return WIRE_FAIL_LIMIT_MEMORY;
	for (size_t i = 0; i < size; i += 4096)
		((volatile char *)memory)[i] = 1;
	session_result result = picture(session, &small);
	free(memory);
	return result;
}

static session_result decode(struct session *session);

static session_result where(struct session *session, const struct arguments *arguments)
{
	static const struct arguments one_pixel = { .first = 1, .second = 1 };
	struct wire_image image;
	uint8_t *room = NULL;
	size_t count = 0;
	uintptr_t address = (uintptr_t)decode;

	(void)arguments;
	session_result result = begin_picture(session, &one_pixel, &image);
	if (result == WIRE_OK)
		result = session_rows(session, &room, &count);
	if (result != WIRE_OK)
		return result;
	memcpy(room, &address, wire_pixel_bytes[image.pixel_format]);
	return session_commit_rows(session, 1);
}

/* WIDTH HEIGHT HEIGHT: a page, and a second that is damaged before its frame. */
static session_result damaged_page(struct session *session, const struct arguments *arguments)
{
	static const struct wire_fail damage = { .failure = WIRE_FAIL_DATA };
	static const struct wire_end the_end;
	struct wire_image next = { .width = (uint32_t)arguments->first,
		                   .height = (uint32_t)arguments->third,
		                   .frames = 1,
		                   .color = WIRE_COLOR_RGB,
		                   .channels = 3,
		                   .depth = 8 };

	next.pixel_format = session_choose_format(session, &next);
	say_picture(session, arguments, arguments->second);
	say(WIRE_IMAGE, sizeof(next), &next, sizeof(next));
	say(WIRE_DAMAGE, sizeof(damage), &damage, sizeof(damage));
	say(WIRE_END, sizeof(the_end), &the_end, sizeof(the_end));
	return SESSION_STOP;
}

static session_result twice(struct session *session, const struct arguments *arguments)
{
	static const struct wire_end the_end;

	(void)arguments;
	say_picture(session, &(struct arguments){ .first = 4, .second = 4 }, 4);
	say(WIRE_END, sizeof(the_end), &the_end, sizeof(the_end));
	return WIRE_OK;
}

static const struct {
	const char *name;
	attack *run;
} commands[] = {
	/* The kernel. */
	{ "call", try_call },           /* NUMBER: a system call */
	{ "call32", try_call_32 },      /* NUMBER: the same by "int 0x80" */
	{ "descriptors", descriptors }, /* all but the two pipes */
	{ "clock", read_clock },        /* the time-stamp counter */
	{ "coarse-clock", read_coarse_clock },
	{ "block-signals", block_signals }, /* through sigreturn, and then use processor time */
	{ "spin", spin },                   /* use processor time for ever */
	{ "exit", leave },                  /* STATUS: without a last word */
	{ "read", read_for_ever },
	{ "between-ticks", between_ticks }, /* N: compute for so many steps each time that there is input */
	/* Memory. */
	{ "segfault", segfault }, /* ADDRESS: write there */
	{ "recurse", recurse },
	{ "exhaust", exhaust },   /* BEYOND: touch all of the arena; not 0: and what lies behind it */
	{ "allocate", allocate }, /* N: MiB, touch them, and be good */
	{ "execute-heap", execute_heap },
	{ "search", search }, /* SECRET...: in hexadecimal; all of its memory */
	{ "where", where },   /* be good, with a pixel whose eight bytes are an address of this code */
	/* The wire. */
	{ "message", message },               /* KIND LENGTH: one message that claims this length */
	{ "state", say_in_state },            /* STATE KIND LENGTH: the same in a state */
	{ "blocks", blocks },                 /* CASE: blocks that are out of order */
	{ "field", field },                   /* KIND OFFSET VALUE: be good but for one field */
	{ "picture", picture },               /* WIDTH HEIGHT: be good */
	{ "announce", announce_only },        /* WIDTH HEIGHT FRAMES: a picture, and then nothing */
	{ "disagree", disagree },             /* WIDTH HEIGHT: and another size when asked for information */
	{ "disagree-sound", disagree_sound }, /* CHANNELS FRAMES */
	{ "echo", echo },                     /* TEXT: as bytes */
	{ "paint", paint },                   /* TEXT: as pixels */
	{ "short", too_short },               /* WIDTH HEIGHT: half the picture, and END */
	{ "long", too_long },                 /* WIDTH HEIGHT: one row too many */
	{ "twice", twice },                   /* END twice */
	{ "page", damaged_page },             /* WIDTH HEIGHT HEIGHT: a whole page, and one without a frame */
	{ "half-header", half_header },
	{ "half-message", half_message },
	{ "flood", flood },               /* bytes without end */
	{ "drip", drip },                 /* WIDTH HEIGHT: each byte of the picture in a message of its own */
	{ "frames", frames_without_end }, /* N: that many announced, and a million sent */
	{ "empty", empty_without_end },   /* KIND: empty messages without end */
	{ "tags", tags_without_end },     /* not 0: while sound comes */
	{ "losses", losses_without_end },
	{ "tag-bytes", tag_bytes }, /* all tags that may be, of all bytes */
	{ "absurd-sound", absurd_sound },
	{ "random", at_random }, /* SEED */
	/* Its input, of which it may have the parts. */
	{ "part", part },                           /* OFFSET LENGTH: one, and say how long it is */
	{ "parts-untaken", parts_untaken },         /* N: so many at once; 0: one, and compute for ever */
	{ "parts-without-end", parts_without_end }, /* the same one again and again */
	/* What costs the trusted side much. */
	{ "noise", noise },     /* WIDTH HEIGHT: a picture of which nothing can be compressed */
	{ "damaged", damaged }, /* WIDTH HEIGHT: a picture of which one row comes */
	{ "relay", relay },     /* its input, as it comes */
};

/* Numbers, as far as there are any. */
static struct arguments parse(char *text)
{
	struct arguments arguments = { .text = text };
	unsigned long *const numbers[] = { &arguments.first, &arguments.second, &arguments.third, &arguments.fourth };
	char *rest = text;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*numbers[i] = strtoul(rest, &rest, 10);
	return arguments;
}

static session_result decode(struct session *session)
{
	static char line[4096];
	const uint8_t *data = NULL;
	size_t size = 0;
	size_t got = 0;

	/* As a file ends with its input, and a stream with its line. */
	while (!memchr(line, '\n', size) && (got = session_read(session, &data)) > 0)
		for (size_t i = 0; i < got && size < sizeof(line) - 1; i++)
			line[size++] = (char)data[i];
	line[strcspn(line, "\n")] = '\0';
	char *command = line + strlen("HOSTILE ");
	size_t length = strcspn(command, " ");
	struct arguments arguments = parse(command + length + (command[length] == ' '));
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i].name) == length && memcmp(commands[i].name, command, length) == 0)
			return commands[i].run(session, &arguments);
	return WIRE_FAIL_HEADER;
}

const struct decoder decoder = {
	.name = "hostile", .gives_covers = true, .initialise = prepare_search, .decode = decode
};
