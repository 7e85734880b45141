/* SPDX-License-Identifier: MIT */
#include "children.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../decode.h"
#include "../packet.h"

/* ---- reports ---- */

/* Sends a report, with the descriptors of `child` unless that is NULL.  Returns false where the library does not take
 * it now. */
static bool send_report(const struct children *children, const struct protocol_report *report,
                        const struct child *child)
{
	if (!child)
		return packet_send(children->socket, report, sizeof(*report), NULL, 0);
	const int fds[PROTOCOL_CHILD_FDS] = {
		[PROTOCOL_CHILD_PIDFD] = child->pidfd,
		[PROTOCOL_CHILD_INPUT] = child->input,
		[PROTOCOL_CHILD_INPUT_PEER] = child->input_peer,
		[PROTOCOL_CHILD_OUTPUT] = child->output,
	};
	return packet_send(children->socket, report, sizeof(*report), fds, PROTOCOL_CHILD_FDS);
}

static void report_none(struct children *children, const struct slot *slot, enum protocol_reason reason,
                        int error_number)
{
	struct protocol_report report = {
		.kind = PROTOCOL_NONE,
		.tag = slot->tag,
		.reason = reason,
		.error_number = error_number,
	};

	children->failing = true;
	/* Where it does not get through, the library's own patience ends. */
	if (slot->wanted)
		(void)send_report(children, &report, NULL);
}

/* ---- making children ---- */

static struct slot *free_slot(struct children *children)
{
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++)
		if (children->slots[i].state == SLOT_FREE)
			return &children->slots[i];
	return NULL;
}

static enum protocol_reason reason_of(const struct children *children, enum safe_status status)
{
	if (status == SAFE_UNSUPPORTED)
		return PROTOCOL_NO_MODULE;
	return children->engine_outcome.status == SAFE_OK ? PROTOCOL_NO_FORK : PROTOCOL_NO_PREPARATION;
}

static void start(struct children *children, bool wanted, const struct protocol_command *command)
{
	struct slot *slot = free_slot(children);
	struct slot none = { .wanted = wanted, .tag = command ? command->tag : 0 };
	struct engine_child plan = {
		.module = children->module,
		.cpu_seconds = children->cpu_seconds,
		.spare = true,
	};

	if (!slot) {
		report_none(children, &none, PROTOCOL_NO_FORK, EAGAIN);
		return;
	}
	*slot = none;
	if (slot->tag != 0) {
		plan.cpu_seconds = command->cpu_seconds;
		plan.memory = command->memory;
	}
	struct safe_outcome outcome = children->engine_outcome;
	if (outcome.status == SAFE_OK)
		outcome = engine_spawn(children->engine, &plan, &slot->child);
	if (outcome.status != SAFE_OK) {
		report_none(children, slot, reason_of(children, outcome.status), outcome.error_number);
		return;
	}
	slot->state = SLOT_STARTING;
	slot->pid = slot->child.pid;
}

void children_refill(struct children *children)
{
	size_t spares = 0;

	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++) {
		const struct slot *slot = &children->slots[i];
		spares += slot->state == SLOT_SPARE || (slot->state == SLOT_STARTING && !slot->wanted);
	}
	for (; spares < children->spares && !children->failing; spares++)
		start(children, false, NULL);
}

/* The child says that it is locked down by having written something; what it wrote is for the library to read. */
static void hand_over(struct children *children, struct slot *slot)
{
	struct child *child = &slot->child;
	struct sandbox_posture posture;
	struct safe_outcome outcome = child->owner->verify(child, &posture);
	struct protocol_report report = {
		.kind = PROTOCOL_CHILD,
		.id = (uint32_t)slot->pid,
		.tag = slot->tag,
		.strict = posture.strict,
		.no_new_privs = posture.no_new_privs,
		.filters = (uint32_t)posture.filters,
		.filters_before = (uint32_t)posture.filters_before,
	};

	bool sent = outcome.status == SAFE_OK && send_report(children, &report, child);
	/* Whoever waits must hear of it; and no spare follows at once, which would fare no better. */
	if (!sent) {
		bool verified = outcome.status == SAFE_OK;
		report_none(children, slot, verified ? PROTOCOL_NO_FORK : PROTOCOL_NOT_VERIFIED,
		            verified ? errno : outcome.error_number);
		child->owner->end(child, false);
		slot->state = SLOT_FREE;
		return;
	}
	child_close(child);
	children->failing = false;
	slot->state = SLOT_SPARE;
	slot->wanted = false;
}

/* ---- commands ---- */

static struct slot *find(struct children *children, uint32_t id)
{
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++) {
		struct slot *slot = &children->slots[i];
		if ((slot->state == SLOT_SPARE || slot->state == SLOT_USED) && (uint32_t)slot->pid == id)
			return slot;
	}
	return NULL;
}

void children_command(struct children *children, const struct protocol_command *command)
{
	struct slot *slot = command->kind == PROTOCOL_WANT ? NULL : find(children, command->id);

	switch (command->kind) {
	case PROTOCOL_WANT:
		start(children, true, command);
		break;
	case PROTOCOL_USE:
		if (!slot)
			break;
		slot->state = SLOT_USED;
		if (command->deadline_milliseconds > 0)
			slot->deadline = decode_clock() + command->deadline_milliseconds * UINT64_C(1000000);
		break;
	case PROTOCOL_DROP:
		if (slot)
			(void)kill(slot->pid, SIGKILL); /* ours until it is reaped */
		break;
	default:
		break;
	}
}

/* ---- endings ---- */

static struct slot *slot_of(struct children *children, pid_t pid)
{
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++) {
		struct slot *slot = &children->slots[i];
		if (slot->state != SLOT_FREE && slot->state != SLOT_ENDED && slot->pid == pid)
			return slot;
	}
	return NULL;
}

static uint64_t microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void note_end(struct children *children, struct slot *slot, int status, const struct rusage *usage)
{
	if (slot->state == SLOT_STARTING) {
		report_none(children, slot, PROTOCOL_NO_LOCKDOWN, 0);
		child_close(&slot->child);
		slot->state = SLOT_FREE;
		return;
	}
	slot->report = (struct protocol_report){
		.kind = PROTOCOL_ENDED,
		.id = (uint32_t)slot->pid,
		.wait_status = status,
		.deadline = slot->overdue,
		.cpu_microseconds = microseconds(&usage->ru_utime) + microseconds(&usage->ru_stime),
		.peak_memory = (uint64_t)usage->ru_maxrss * 1024,
	};
	slot->state = SLOT_ENDED;
}

static void reap(struct children *children)
{
	struct rusage usage;
	int status = 0;
	pid_t pid = 0;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		struct slot *slot = slot_of(children, pid);
		if (slot)
			note_end(children, slot, status, &usage);
	}
}

static bool is_ready(const struct slot *slot)
{
	struct pollfd output = { .fd = slot->child.output, .events = POLLIN };

	return poll(&output, 1, 0) > 0 && (output.revents & POLLIN) != 0;
}

static void kill_overdue(struct slot *slot)
{
	if (slot->deadline == 0 || slot->overdue || decode_clock() < slot->deadline)
		return;
	slot->overdue = true;
	(void)kill(slot->pid, SIGKILL);
}

void children_step(struct children *children)
{
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++) {
		struct slot *slot = &children->slots[i];
		if (slot->state == SLOT_STARTING && is_ready(slot))
			hand_over(children, slot);
		if (slot->state == SLOT_USED)
			kill_overdue(slot);
	}
	reap(children);
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++) {
		struct slot *slot = &children->slots[i];
		if (slot->state == SLOT_ENDED && send_report(children, &slot->report, NULL))
			slot->state = SLOT_FREE;
	}
}

size_t children_wants(const struct children *children, struct pollfd *fds, int *timeout)
{
	size_t count = 0;

	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++) {
		const struct slot *slot = &children->slots[i];
		int wait = -1;
		if (slot->state == SLOT_STARTING)
			fds[count++] = (struct pollfd){ .fd = slot->child.output, .events = POLLIN };
		if (slot->state == SLOT_ENDED)
			wait = 10; /* the library is slow; its socket's buffer is full */
		if (slot->state == SLOT_USED && slot->deadline != 0 && !slot->overdue) {
			uint64_t now = decode_clock();
			uint64_t left = slot->deadline > now ? slot->deadline - now : 0;
			wait = (int)(left / 1000000 + 1);
		}
		if (wait >= 0 && (*timeout < 0 || wait < *timeout))
			*timeout = wait;
	}
	return count;
}

void children_end(struct children *children)
{
	for (size_t i = 0; i < PROTOCOL_CHILDREN; i++) {
		struct slot *slot = &children->slots[i];
		if (slot->state != SLOT_FREE && slot->state != SLOT_ENDED)
			(void)kill(slot->pid, SIGKILL);
		if (slot->state == SLOT_STARTING)
			child_close(&slot->child);
	}
	while (wait4(-1, NULL, 0, NULL) > 0 || errno == EINTR)
		;
}
