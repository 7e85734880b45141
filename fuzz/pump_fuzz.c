/* SPDX-License-Identifier: MIT */
/*
 * The pump, the reader behind it and a consumer, between descriptors that are made up here: what the child says is the
 * input, and every system call may do less than it was asked for, nothing, or fail.  (The system calls are those of
 * pump.c and random.c, which the linker leads here by --wrap.)
 *
 * Whatever the pieces, what arrives must be what a reader of the whole gives, and what the child is fed must be the
 * request and a start of the compressed bytes, in order; or the parts of them that it asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "allocations.h"
#include "broker/decode/pump.h"
#include "consumer.h"
#include "wire_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOURCE = 1 << 20, TO_CHILD, FROM_CHILD, RELAY_READ, RELAY_WRITE };

/* What the child says: the input, of which a part is said several times, so that a short input can stand for much. */
struct speech {
	const uint8_t *data;
	size_t head, loop, times, size; /* bytes before the part and in it; bytes in all */
	size_t said;
};

struct world {
	struct checked checked; /* first: it is the consumer's context */
	struct pump *pump;
	struct speech speech;
	size_t relayed;     /* bytes of the speech in the relay; they are the last that were said */
	bool relay[2];      /* open ends */
	mode_t source_mode; /* S_IFREG, S_IFIFO, or one that cannot be spliced */
	size_t source_size, source_left;
	size_t fed; /* bytes that reached the child */
	uint64_t random_start;
	size_t part_fed; /* of these, of a part that it asked for, with what goes before it */
	struct wire_part part;
	bool child_gone; /* it reads no more */
	uint64_t dice;
	bool calm; /* no more failures: come to an end */
};

static struct world world;

static bool happens(uint32_t one_in)
{
	return !world.calm && hash_dice(&world.dice, one_in) == 0;
}

/* How much of `most` a call moves. */
static size_t some(size_t most)
{
	if (most == 0 || world.calm || hash_dice(&world.dice, 2) == 0)
		return most;
	return 1 + hash_dice(&world.dice, most > 4096 ? 4096 : (uint32_t)most);
}

static ssize_t failure(int error_number)
{
	errno = error_number;
	return -1;
}

/* ---- what is said ---- */

static uint8_t speech_at(const struct speech *speech, size_t offset)
{
	if (offset < speech->head)
		return speech->data[offset];
	offset -= speech->head;
	if (offset < speech->loop * speech->times)
		return speech->data[speech->head + offset % speech->loop];
	return speech->data[speech->head + speech->loop + offset - speech->loop * speech->times];
}

static ssize_t say(struct speech *speech, size_t from, void *data, size_t size)
{
	uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		bytes[i] = speech_at(speech, from + i);
	return (ssize_t)size;
}

static size_t unsaid(const struct speech *speech)
{
	return speech->size - speech->said;
}

/* The compressed bytes: all differ from their neighbours. */
static uint8_t source_at(size_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 8));
}

static bool is_random(void)
{
	return (world.checked.request.flags & WIRE_RANDOM) != 0;
}

/* A part has its length before it, and is shorter than what was asked for only where the file has become so. */
static void feed_part(uint8_t byte)
{
	const struct wire_reader *reader = &world.pump->reader;
	size_t place = world.part_fed++;

	REQUIRE(reader->part_wanted);
	if (place < sizeof(world.part)) {
		((uint8_t *)&world.part)[place] = byte;
	} else {
		size_t offset = (size_t)reader->part_offset + place - sizeof(world.part);
		REQUIRE(offset < world.source_size && byte == source_at(offset));
	}
	if (world.part_fed < sizeof(world.part))
		return;
	REQUIRE(world.part.length <= reader->part_length);
	REQUIRE(world.part.length == reader->part_length || world.part.length == 0 ||
	        reader->part_offset + world.part.length == world.source_size - world.source_left);
	if (world.part_fed == sizeof(world.part) + world.part.length)
		world.part_fed = 0;
}

static void feed(const uint8_t *data, size_t size)
{
	const uint8_t *request = (const uint8_t *)&world.checked.request;

	REQUIRE(!world.child_gone);
	for (size_t i = 0; i < size; i++, world.fed++) {
		if (world.fed < sizeof(world.checked.request))
			REQUIRE(data[i] == request[world.fed]);
		else if (is_random())
			feed_part(data[i]);
		else
			REQUIRE(data[i] == source_at(world.fed - sizeof(world.checked.request)));
	}
}

/* Fills `data` with the next bytes of the source. */
static size_t take_source(uint8_t *data, size_t size)
{
	if (size > world.source_left)
		size = world.source_left;
	for (size_t i = 0; i < size; i++)
		data[i] = source_at(world.source_size - world.source_left + i);
	world.source_left -= size;
	return size;
}

/* ---- the system calls ---- */

ssize_t __real_read(int fd, void *data, size_t size);
ssize_t __wrap_read(int fd, void *data, size_t size);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t size, unsigned flags);
ssize_t __wrap_writev(int fd, const struct iovec *pieces, int count);
int __wrap_pipe2(int ends[2], int flags);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __real_fstat(int fd, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);

static ssize_t read_speech(void *data, size_t size)
{
	size_t from = world.speech.said;

	if (size > unsaid(&world.speech))
		size = unsaid(&world.speech);
	size = some(size);
	world.speech.said += size;
	return say(&world.speech, from, data, size);
}

static ssize_t read_relay(void *data, size_t size)
{
	size_t from = world.speech.said - world.relayed;

	REQUIRE(world.relay[0] && size > 0 && world.relayed > 0);
	size = some(size < world.relayed ? size : world.relayed);
	world.relayed -= size;
	return say(&world.speech, from, data, size);
}

ssize_t __wrap_read(int fd, void *data, size_t size)
{
	if (fd < SOURCE)
		return __real_read(fd, data, size);
	if (happens(16))
		return failure(hash_dice(&world.dice, 2) == 0 ? EINTR : EAGAIN);
	if (happens(512))
		return failure(EIO);
	if (fd == FROM_CHILD)
		return read_speech(data, size);
	if (fd == RELAY_READ)
		return read_relay(data, size);
	REQUIRE(fd == SOURCE && size > 0);
	return (ssize_t)take_source(data, some(size));
}

/* What is left of the source is not there any more. */
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset)
{
	uint64_t place = (uint64_t)offset - world.random_start;
	size_t there = world.source_size - world.source_left;

	REQUIRE(fd == SOURCE && is_random() && size > 0 && place + size <= world.source_size);
	if (happens(16))
		return failure(EINTR);
	if (happens(512))
		return failure(EIO);
	size = place >= there ? 0 : some(size < there - place ? size : there - (size_t)place);
	for (size_t i = 0; i < size; i++)
		((uint8_t *)data)[i] = source_at((size_t)place + i);
	return (ssize_t)size;
}

/* From the source to the child. */
static ssize_t splice_source(size_t size)
{
	uint8_t piece[4096];

	REQUIRE(world.source_mode == S_IFREG || world.source_mode == S_IFIFO);
	if (world.child_gone)
		return failure(EPIPE);
	size = take_source(piece, some(size < sizeof(piece) ? size : sizeof(piece)));
	feed(piece, size);
	return (ssize_t)size;
}

ssize_t __wrap_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t size, unsigned flags)
{
	REQUIRE(!in_offset && !out_offset && flags == SPLICE_F_NONBLOCK && size > 0);
	if (happens(8))
		return failure(hash_dice(&world.dice, 2) == 0 ? EINTR : EAGAIN);
	if (happens(64))
		return failure(EINVAL);
	if (in == SOURCE && out == TO_CHILD)
		return splice_source(size);
	REQUIRE(in == FROM_CHILD && out == RELAY_WRITE && world.relay[1] && world.relayed == 0);
	size = some(size < unsaid(&world.speech) ? size : unsaid(&world.speech));
	world.speech.said += size;
	world.relayed = size;
	return (ssize_t)size;
}

ssize_t __wrap_writev(int fd, const struct iovec *pieces, int count)
{
	size_t total = 0, all = 0;

	for (int i = 0; i < count; i++)
		all += pieces[i].iov_len;
	REQUIRE(fd == TO_CHILD && count == 3 && all > 0);
	if (happens(256))
		world.child_gone = true;
	if (world.child_gone)
		return failure(EPIPE);
	if (happens(8))
		return failure(hash_dice(&world.dice, 2) == 0 ? EINTR : EAGAIN);
	if (happens(512))
		return failure(EIO);
	size_t most = some(all);
	for (int i = 0; i < count; i++) {
		size_t size = pieces[i].iov_len < most - total ? pieces[i].iov_len : most - total;
		feed(pieces[i].iov_base, size);
		total += size;
	}
	return (ssize_t)total;
}

int __wrap_pipe2(int ends[2], int flags)
{
	REQUIRE(flags == O_CLOEXEC && !world.relay[0] && !world.relay[1]);
	if (happens(4))
		return (int)failure(EMFILE);
	ends[0] = RELAY_READ;
	ends[1] = RELAY_WRITE;
	world.relay[0] = world.relay[1] = true;
	return 0;
}

int __wrap_close(int fd)
{
	if (fd < SOURCE)
		return __real_close(fd);
	REQUIRE(fd == RELAY_READ || fd == RELAY_WRITE);
	REQUIRE(world.relay[fd - RELAY_READ]);
	world.relay[fd - RELAY_READ] = false;
	return 0;
}

int __wrap_fcntl(int fd, int command, ...)
{
	va_list arguments;

	va_start(arguments, command);
	int argument = va_arg(arguments, int);
	va_end(arguments);
	if (fd < SOURCE)
		return __real_fcntl(fd, command, argument);
	REQUIRE(command == F_SETPIPE_SZ);
	return happens(2) ? (int)failure(EPERM) : argument;
}

int __wrap_fstat(int fd, struct stat *status)
{
	if (fd < SOURCE)
		return __real_fstat(fd, status);
	REQUIRE(fd == SOURCE);
	if (happens(16)) {
		world.source_mode = S_IFCHR;
		return (int)failure(EIO);
	}
	*status = (struct stat){ .st_mode = world.source_mode };
	return 0;
}

/* ---- the owner's loop ---- */

static struct outcome commit_and_pause(void *context, size_t size)
{
	struct outcome outcome = checked_commit(context, size);

	if (happens(8))
		pump_pause(world.pump);
	return outcome;
}

/* As poll() might find them; now and then it says that there is nothing. */
static void poll_all(struct pollfd fds[PUMP_FDS])
{
	for (int i = 0; i < PUMP_FDS; i++) {
		bool ready = fds[i].fd >= 0 && !happens(4);
		int events = ready ? fds[i].events | (happens(8) ? POLLHUP : 0) : 0;
		fds[i].revents = (short)events;
	}
}

static enum pump_progress drive(struct pump *pump)
{
	enum pump_progress progress = PUMP_MORE;
	struct pollfd fds[PUMP_FDS];

	if (happens(2))
		pump_release(pump);
	for (size_t steps = 0; progress == PUMP_MORE; steps++) {
		world.calm = steps > 200;
		/* Everything ready, and nothing fails: some thousand bytes move with each step. */
		REQUIRE(steps < 2000);
		if (steps == 3)
			pump_release(pump);
		(void)pump_wants(pump, fds);
		poll_all(fds);
		uint64_t waited = happens(64) ? UINT64_C(5000000000) : hash_dice(&world.dice, 1000000);
		progress = happens(16) ? pump_send(pump) : pump_step(pump, fds, waited);
		REQUIRE(progress != PUMP_OVER || pump->outcome.status != SDEC_OK || world.checked.ended);
	}
	return progress;
}

/* ---- against a reader of the whole ---- */

struct whole {
	struct checked checked;
	struct speech speech;
};

/* No piece crosses the place where the pump's output ended, so that what came until there can be compared. */
static ssize_t read_whole(void *context, void *data, size_t size)
{
	struct whole *whole = context;
	struct speech *speech = &whole->speech;
	size_t from = speech->said;
	bool before = whole->checked.reserved && whole->checked.total < world.checked.total;

	if (before && size > world.checked.total - whole->checked.total)
		size = (size_t)(world.checked.total - whole->checked.total);
	if (size > unsaid(speech))
		size = unsaid(speech);
	speech->said += size;
	return say(speech, from, data, size);
}

static void compare(const struct pump *pump, enum pump_progress progress, const struct speech *speech)
{
	/* Else a limit or a failure did; or that the child asked for a part before it had taken another. */
	bool reader_ended = progress == PUMP_OVER && pump->reader.state == WIRE_STATE_OVER &&
	                    pump->outcome.status != SDEC_IO && !pump->reader.part_wanted;
	bool to_the_end = reader_ended || progress == PUMP_GONE;
	struct whole whole = { .checked.request = world.checked.request, .speech = *speech };
	const struct wire_consumer consumer = checked_consumer(&whole.checked);
	struct wire_reader reader;
	enum wire_progress answer = WIRE_PROGRESS_MORE;

	wire_reader_init(&reader, &whole.checked.request, &consumer);
	while (answer == WIRE_PROGRESS_MORE && (to_the_end || whole.checked.total < world.checked.total)) {
		answer = wire_reader_step(&reader, read_whole, &whole);
		reader.part_wanted = false;
	}
	REQUIRE(whole.checked.total == world.checked.total && whole.checked.hash == world.checked.hash);
	REQUIRE(progress != PUMP_GONE || answer == WIRE_PROGRESS_EOF);
	REQUIRE(!reader_ended || (answer == WIRE_PROGRESS_OVER && reader.outcome.reason == pump->outcome.reason &&
	                          reader.outcome.status == pump->outcome.status));
}

/* The child may ask for parts.  A file may have become shorter. */
static void make_random(bool in_memory)
{
	world.checked.request.input_total = world.source_size;
	world.random_start = hash_dice(&world.dice, 2) == 0 ? 0 : UINT64_C(1) << hash_dice(&world.dice, 62);
	world.source_left = !in_memory && happens(4) ? hash_dice(&world.dice, (uint32_t)world.source_size + 1) : 0;
}

static void run(const struct speech *speech)
{
	struct pump pump;
	struct wire_consumer consumer = checked_consumer(&world.checked);
	static uint8_t start[PUMP_BUFFER_SIZE];
	bool in_memory = world.source_mode == S_IFBLK;

	if (in_memory && world.source_size > sizeof(start))
		world.source_size = world.source_left = sizeof(start);
	size_t start_size = in_memory ? world.source_size : hash_dice(&world.dice, 100);
	start_size = take_source(start, start_size < sizeof(start) ? start_size : sizeof(start));
	if (in_memory)
		world.source_left = 0;
	if (is_random())
		make_random(in_memory);
	struct pump_plan plan = {
		.request = &world.checked.request,
		.consumer = &consumer,
		.to_child = TO_CHILD,
		.from_child = FROM_CHILD,
		.source = in_memory ? -1 : SOURCE,
		.start = start,
		.start_size = start_size,
		.random_start = world.random_start,
		.max_input = happens(8) ? hash_dice(&world.dice, 100000) : UINT64_MAX,
		.stall_seconds = 4,
	};
	consumer.commit = commit_and_pause;
	world.pump = &pump;
	allocations_begin(happens(32) ? 0 : ALLOCATIONS_NONE_FAILS, false);
	if (pump_init(&pump, &plan).status == SDEC_OK)
		compare(&pump, drive(&pump), speech);
	pump_free(&pump);
	REQUIRE(allocations_end() == 0 && !world.relay[0] && !world.relay[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { OPTIONS = WIRE_OPTIONS + 9 };
	static const mode_t modes[] = { S_IFREG, S_IFIFO, S_IFSOCK, S_IFBLK };

	if (size < OPTIONS)
		return 0;
	const uint8_t *options = data + WIRE_OPTIONS;
	struct speech speech = { .data = data + OPTIONS };
	size_t said = size - OPTIONS;
	speech.head = options[0] < said ? options[0] : said;
	speech.loop = (size_t)options[1] * 4 < said - speech.head ? (size_t)options[1] * 4 : said - speech.head;
	speech.times = speech.loop > 0 ? 1 + (size_t)options[2] : 0;
	speech.size = said + (speech.times > 0 ? (speech.times - 1) * speech.loop : 0);
	world = (struct world){
		.checked.request = wire_options_request(data),
		.speech = speech,
		.source_mode = modes[options[3] % 4],
		.source_size = (size_t)options[4] << (options[3] >> 4),
		.dice = hash_add(HASH_START, options, OPTIONS - WIRE_OPTIONS),
	};
	world.source_left = world.source_size;
	run(&speech);
	return 0;
}
