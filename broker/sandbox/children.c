/* SPDX-License-Identifier: MIT */
#include "children.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "broker/base/fds.h"
#include "broker/base/packet.h"
#include "broker/base/pidfd.h"
#include "broker/wire/status.h"
#include "verify.h"

enum {
	LOOK_AGAIN = 50, /* milliseconds, after which is looked whether a process can be made now */
	SEND_AGAIN = 10, /* milliseconds, where the caller is slow and its socket's buffer is full */
};

/* ---- reports ---- */

/* Returns false where the caller does not take it now. */
static bool send_report(const struct children *children, const struct protocol_report *report, const int *fds,
                        size_t count)
{
	return packet_send(children->socket, report, sizeof(*report), fds, count);
}

static void report_none(struct children *children, const struct slot *slot, enum protocol_reason reason, int step,
                        int error_number)
{
	struct protocol_report report = {
		.kind = PROTOCOL_NONE,
		.tag = slot->tag,
		.reason = reason,
		.step = step,
		.error_number = error_number,
	};

	children->failing = true;
	/* Where it does not get through, the caller's own patience ends. */
	if (slot->wanted)
		(void)send_report(children, &report, NULL, 0);
}

/* ---- making decoders ---- */

static struct slot *free_slot(struct children *children)
{
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++)
		if (children->slots[i].state == SLOT_FREE)
			return &children->slots[i];
	errno = EAGAIN;
	return NULL;
}

static bool has_any(const struct children *children)
{
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++)
		if (children->slots[i].state == SLOT_STARTING || children->slots[i].state == SLOT_GIVEN)
			return true;
	return false;
}

/* What is left of the arena for a decoder with less memory than the others. */
struct share {
	struct arena *arena;
	uint64_t memory;
};

static int shrink(void *context)
{
	const struct share *share = context;

	return arena_shrink(share->arena, share->memory);
}

/* Returns false, with errno, where there was nothing left to make it of. */
static bool start(struct children *children, bool wanted, const struct protocol_command *command)
{
	struct slot none = { .wanted = wanted, .tag = command ? command->tag : 0, .status = -1 };
	struct spawn_plan plan = children->spawn;
	struct share share = { .arena = children->arena };

	if (children->failed != SANDBOX_STEP_NONE) {
		report_none(children, &none, PROTOCOL_NO_PREPARATION, (int)children->failed, children->error_number);
		return true;
	}
	struct slot *slot = free_slot(children);
	if (!slot)
		return false;
	*slot = none;
	if (slot->tag != 0) {
		plan.cpu_seconds = command->cpu_seconds;
		share.memory = command->memory;
		plan.shrink = shrink;
		plan.context = &share;
	}
	enum sandbox_step failed = spawn_decoder(&plan, &slot->decoder);
	if (failed == SANDBOX_STEP_NONE)
		slot->state = SLOT_STARTING;
	else if (status_is_exhaustion(errno))
		return false;
	else
		report_none(children, slot, PROTOCOL_NO_LOCKDOWN, (int)failed, errno);
	return true;
}

/* A spare that is starting already serves as well as a new one. */
static bool claim_starting(struct children *children)
{
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++) {
		struct slot *slot = &children->slots[i];
		if (slot->state == SLOT_STARTING && !slot->wanted && slot->tag == 0) {
			slot->wanted = true;
			return true;
		}
	}
	return false;
}

/* Returns false where it has to wait until another decoder ends. */
static bool serve(struct children *children, const struct protocol_command *want)
{
	if (want->tag == 0 && claim_starting(children))
		return true;
	if (start(children, true, want))
		return true;
	int error_number = errno;
	/* While there is any, one can end. */
	if (has_any(children))
		return false;
	report_none(children, &(struct slot){ .wanted = true, .tag = want->tag }, PROTOCOL_EXHAUSTED, 0, error_number);
	return true;
}

static void serve_waiting(struct children *children)
{
	size_t served = 0;

	while (served < children->waiting_count && serve(children, &children->waiting[served]))
		served++;
	children->waiting_count -= served;
	memmove(children->waiting, children->waiting + served, children->waiting_count * sizeof(children->waiting[0]));
}

static void want(struct children *children, const struct protocol_command *command)
{
	const struct protocol_report full = { .kind = PROTOCOL_FULL };

	if (children->waiting_count == 0 && serve(children, command))
		return;
	if (children->waiting_count == PROTOCOL_CHILDREN) {
		report_none(children, &(struct slot){ .wanted = true, .tag = command->tag }, PROTOCOL_EXHAUSTED, 0,
		            EAGAIN);
		return;
	}
	children->waiting[children->waiting_count++] = *command;
	/* The caller may have spares, of this program or of others, that it can do without. */
	(void)send_report(children, &full, NULL, 0);
}

void children_refill(struct children *children)
{
	size_t spares = 0;

	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++) {
		const struct slot *slot = &children->slots[i];
		spares += slot->state == SLOT_GIVEN || (slot->state == SLOT_STARTING && !slot->wanted);
	}
	for (; spares < children->spares && !children->failing && children->waiting_count == 0; spares++)
		children->failing = !start(children, false, NULL) || children->failing;
}

/* ---- handing over ---- */

static struct slot *starting(struct children *children, int32_t pid)
{
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++)
		if (children->slots[i].state == SLOT_STARTING && children->slots[i].decoder.pid == pid)
			return &children->slots[i];
	return NULL;
}

/* What decoders have said before they were locked down. */
static void take_lockdowns(struct children *children)
{
	struct protocol_lockdown report = { .pid = 0 };
	int fd = -1;
	struct packet packet = { .data = &report, .size = sizeof(report), .fds = &fd, .count = 1 };

	while (packet_receive(children->control, false, &packet) == PACKET_ONE) {
		struct slot *slot = packet.got == sizeof(report) ? starting(children, report.pid) : NULL;
		if (slot && packet.with_fds && slot->status < 0) {
			slot->status = fd;
			continue;
		}
		if (packet.with_fds)
			(void)close(fd);
		if (slot && report.step != SANDBOX_STEP_NONE) {
			slot->failed = true;
			slot->step = report.step;
			slot->error_number = report.error_number;
		}
	}
}

static int reap(const struct slot *slot, int options, siginfo_t *info, struct rusage *usage)
{
	long result = 0;

	info->si_pid = 0;
	do
		result = syscall(SYS_waitid, P_PIDFD, slot->decoder.pidfd, info, WEXITED | options, usage);
	while (result < 0 && errno == EINTR);
	return result == 0 && info->si_pid != 0 ? 0 : -1;
}

static void free_slot_of(struct slot *slot)
{
	spawned_close(&slot->decoder);
	fds_close(&slot->status);
	slot->state = SLOT_FREE;
}

static void end(struct slot *slot)
{
	siginfo_t info;
	struct rusage usage;

	pidfd_kill(slot->decoder.pidfd);
	(void)reap(slot, 0, &info, &usage);
	free_slot_of(slot);
}

static enum verify_failure verify(const struct children *children, const struct slot *slot,
                                  struct sandbox_posture *posture)
{
	const struct verify_expectation expected = {
		.pid = slot->decoder.pid,
		.parent = getpid(),
		.filters_before = children->filters,
	};

	errno = EBADF;
	return slot->status < 0 ? VERIFY_NO_PROC : verify_status(slot->status, &expected, posture);
}

static bool give(struct children *children, const struct slot *slot, const struct sandbox_posture *posture)
{
	const struct protocol_report report = {
		.kind = PROTOCOL_CHILD,
		.id = (uint32_t)slot->decoder.pid,
		.tag = slot->tag,
		.strict = posture->strict,
		.no_new_privs = posture->no_new_privs,
		.filters = (uint32_t)posture->filters,
		.filters_before = (uint32_t)posture->filters_before,
	};
	const int fds[PROTOCOL_CHILD_FDS] = {
		[PROTOCOL_CHILD_PIDFD] = slot->decoder.pidfd,
		[PROTOCOL_CHILD_INPUT] = slot->decoder.input,
		[PROTOCOL_CHILD_OUTPUT] = slot->decoder.output,
	};

	return send_report(children, &report, fds, PROTOCOL_CHILD_FDS);
}

/* The decoder says that it is locked down by having written something; what it wrote is for the caller to read. */
static void hand_over(struct children *children, struct slot *slot)
{
	struct sandbox_posture posture = { .verified = false };

	take_lockdowns(children);
	enum verify_failure failure = verify(children, slot, &posture);
	bool given = failure == VERIFY_CONFIRMED && give(children, slot, &posture);
	if (!given) {
		/* Whoever waits must hear of it; and no spare follows at once, which would fare no better. */
		bool confirmed = failure == VERIFY_CONFIRMED;
		report_none(children, slot, confirmed ? PROTOCOL_EXHAUSTED : PROTOCOL_NOT_VERIFIED,
		            confirmed ? 0 : (int)failure, errno);
		end(slot);
		return;
	}
	fds_close(&slot->decoder.input);
	fds_close(&slot->decoder.output);
	fds_close(&slot->status);
	children->failing = false;
	slot->state = SLOT_GIVEN;
	slot->wanted = false;
}

/* ---- commands ---- */

static void drop(struct children *children, uint32_t id)
{
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++) {
		const struct slot *slot = &children->slots[i];
		if (slot->state == SLOT_GIVEN && (uint32_t)slot->decoder.pid == id)
			pidfd_kill(slot->decoder.pidfd);
	}
}

void children_command(struct children *children, const struct protocol_command *command)
{
	if (command->kind == PROTOCOL_WANT)
		want(children, command);
	else if (command->kind == PROTOCOL_DROP)
		drop(children, command->id);
}

/* ---- endings ---- */

static uint64_t microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

/* Why it ended before it was locked down. */
static void report_failed(struct children *children, struct slot *slot, const siginfo_t *info)
{
	take_lockdowns(children);
	if (!slot->failed && info->si_code == CLD_EXITED && info->si_status >= SANDBOX_EXIT_BASE) {
		slot->step = (int32_t)sandbox_silent_step(slot->status >= 0);
		slot->error_number = info->si_status - SANDBOX_EXIT_BASE;
	}
	report_none(children, slot, PROTOCOL_NO_LOCKDOWN, slot->step, slot->error_number);
}

static void note_end(struct children *children, struct slot *slot, const siginfo_t *info, const struct rusage *usage)
{
	if (slot->state == SLOT_STARTING) {
		report_failed(children, slot, info);
		free_slot_of(slot);
		return;
	}
	slot->report = (struct protocol_report){
		.kind = PROTOCOL_ENDED,
		.id = (uint32_t)slot->decoder.pid,
		.wait_status = pidfd_wait_status(info),
		.cpu_microseconds = microseconds(&usage->ru_utime) + microseconds(&usage->ru_stime),
		.peak_memory = (uint64_t)usage->ru_maxrss * 1024,
	};
	free_slot_of(slot);
	slot->state = SLOT_ENDED;
}

static bool is_ready(const struct slot *slot)
{
	struct pollfd output = { .fd = slot->decoder.output, .events = POLLIN };

	return poll(&output, 1, 0) > 0 && (output.revents & POLLIN) != 0;
}

static void step_slot(struct children *children, struct slot *slot)
{
	siginfo_t info;
	struct rusage usage;

	if (slot->state == SLOT_STARTING && is_ready(slot))
		hand_over(children, slot);
	if ((slot->state == SLOT_STARTING || slot->state == SLOT_GIVEN) && reap(slot, WNOHANG, &info, &usage) == 0)
		note_end(children, slot, &info, &usage);
	if (slot->state == SLOT_ENDED && send_report(children, &slot->report, NULL, 0))
		slot->state = SLOT_FREE;
}

void children_step(struct children *children)
{
	take_lockdowns(children);
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++)
		step_slot(children, &children->slots[i]);
	serve_waiting(children);
}

size_t children_wants(const struct children *children, struct pollfd *fds, int *timeout)
{
	size_t count = 0;

	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++) {
		const struct slot *slot = &children->slots[i];
		if (slot->state == SLOT_STARTING)
			fds[count++] = (struct pollfd){ .fd = slot->decoder.output, .events = POLLIN };
		if (slot->state == SLOT_ENDED)
			fds_lower_timeout(timeout, SEND_AGAIN);
	}
	if (children->waiting_count > 0)
		fds_lower_timeout(timeout, LOOK_AGAIN);
	return count;
}

void children_end(struct children *children)
{
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++)
		if (children->slots[i].state == SLOT_STARTING || children->slots[i].state == SLOT_GIVEN)
			pidfd_kill(children->slots[i].decoder.pidfd);
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++)
		if (children->slots[i].state == SLOT_STARTING || children->slots[i].state == SLOT_GIVEN)
			end(&children->slots[i]);
}
