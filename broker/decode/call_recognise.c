/* SPDX-License-Identifier: MIT */
#include "call_recognise.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/reasons.h"

enum { RANDOM_LEAST = 1 << 20 }; /* bytes */

/* `word` is one of ours, too. */
static struct outcome unsupported(const char *why, const char *separator, const char *word)
{
	char reason[128];

	(void)snprintf(reason, sizeof(reason), "%s%s%s", why, separator, word);
	return outcome_of(SDEC_UNSUPPORTED, reasons_keep(reason, why));
}

static struct outcome check_allowed(const struct call *call)
{
	if (call->plan.allowed == 0 || registry_has(call->plan.allowed, call->format))
		return outcome_ok();
	return unsupported("its format is not allowed", ": ", call->format->name);
}

static off_t regular_size(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : -1;
}

/* How much the input has from where it was given.  Its start was read from there. */
static void measure_input(struct call *call)
{
	if (call->plan.data) {
		call->input_size = call->plan.data_size;
		return;
	}
	off_t place = call->file_size < 0 ? -1 : lseek(call->plan.fd, 0, SEEK_CUR);
	if (place < (off_t)call->start_size || place > call->file_size)
		return;
	call->file_start = (uint64_t)place - call->start_size;
	call->input_size = (uint64_t)call->file_size - call->file_start;
}

/* Of information and covers, less than all of the input may be enough. */
static struct outcome check_size(const struct call *call)
{
	uint64_t size = call->plan.operation == WIRE_DECODE ? call->input_size : 0;
	struct outcome outcome = outcome_ok();

	if (size > call->plan.limits.max_input) {
		outcome = outcome_of_limit(SDEC_LIMIT_INPUT, "more input than the limit allows");
		outcome.needed = size;
	}
	return outcome;
}

/* What is refused by its format or its size is refused before there is a child. */
static void want_child(struct call *call)
{
	const struct call_driver *driver = call->plan.driver;
	struct outcome outcome = check_allowed(call);

	call->file_size = call->plan.data ? -1 : regular_size(call->plan.fd);
	measure_input(call);
	/* What is small is there sooner than it can be asked for. */
	call->is_random = call->format->random_access && call->input_size >= RANDOM_LEAST;
	if (outcome.status == SDEC_OK)
		outcome = check_size(call);
	if (outcome.status == SDEC_OK && driver->recognised)
		outcome = driver->recognised(call);
	if (outcome.status != SDEC_OK)
		call_over(call, outcome);
	if (call->stage == CALL_OVER)
		return;
	call->want.program = call->format->program;
	call->want.limits = &call->plan.limits;
	call->want.diagnose = (call->plan.flags & WIRE_DIAGNOSE) != 0;
	call->stage = CALL_WANTING;
	call->answered = call->plan.source->want(call->plan.source, &call->want);
}

static struct outcome not_known(const struct recognition *recognition)
{
	static const char unknown[] = "no decoder for this format";

	return recognition->looks_like ? unsupported(unknown, ": looks like ", recognition->looks_like)
	                               : outcome_of(SDEC_UNSUPPORTED, unknown);
}

/* Looks at what is there of the input.  `ended`: that is all. */
static void look(struct call *call, const uint8_t *start, size_t size, bool ended)
{
	struct recognition recognition = { .format = call->format };
	enum recognise_answer answer = RECOGNISE_KNOWN;

	if (size == 0 && ended) {
		call_over(call, outcome_of_failure(WIRE_FAIL_EMPTY));
		return;
	}
	if (!call->format) {
		answer = recognise(start, size, ended, call->plan.name, &recognition);
		size_t more = recognition.more;
		/* What stands behind a tag of a file need not be waited for. */
		if (answer == RECOGNISE_MORE && !call->plan.data)
			answer = recognise_behind(call->plan.fd, start, size, call->plan.name, &recognition);
		if (answer == RECOGNISE_MORE)
			recognition.more = more;
	}
	call->format = recognition.format;
	call->start_more = recognition.more;
	if (answer == RECOGNISE_UNKNOWN)
		call_over(call, not_known(&recognition));
	if (answer == RECOGNISE_KNOWN)
		want_child(call);
}

/* In memory, tags may be longer than what is looked at. */
static void look_at_memory(struct call *call)
{
	const uint8_t *start = call->plan.data;
	size_t size = call->plan.data_size;

	for (unsigned i = 0; i < RECOGNISE_TAGS && size > RECOGNISE_MOST; i++) {
		size_t prefix = registry_prefix(start, size);
		if (prefix == 0 || prefix >= size)
			break;
		start += prefix;
		size -= prefix;
	}
	look(call, start, size < RECOGNISE_MOST ? size : RECOGNISE_MOST, true);
}

/* Room for more of the start.  Returns false where there is no memory. */
static bool make_room(struct call *call)
{
	if (call->start_size < CALL_FIRST || call->start != call->first)
		return true;
	uint8_t *larger = malloc(RECOGNISE_MOST);
	if (!larger)
		return false;
	memcpy(larger, call->first, call->start_size);
	call->start = larger;
	return true;
}

void call_recognise(struct call *call)
{
	if (call->plan.data) {
		look_at_memory(call);
		return;
	}
	if (!make_room(call)) {
		call_over(call, outcome_of_errno(SDEC_IO, "no memory for the input", ENOMEM));
		return;
	}
	size_t room = call->start == call->first ? CALL_FIRST : RECOGNISE_MOST;
	ssize_t got = read(call->plan.fd, call->start + call->start_size, room - call->start_size);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0) {
		call_over(call, outcome_of_errno(SDEC_IO, "cannot read the input", errno));
		return;
	}
	call->start_size += (size_t)got;
	bool ended = got == 0 || call->start_size == RECOGNISE_MOST;
	if (ended || call->start_size >= call->start_more)
		look(call, call->start, call->start_size, ended);
}
