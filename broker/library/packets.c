/* SPDX-License-Identifier: MIT */
#include "packets.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool packets_send(int socket, const struct protocol_command *command)
{
	ssize_t sent = 0;

	do
		sent = send(socket, command, sizeof(*command), MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)sizeof(*command);
}

/* Takes the descriptors that came with a message, all or none. */
static bool take_descriptors(struct msghdr *message, int fds[PROTOCOL_CHILD_FDS])
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t count = 0;

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return false;
	count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (count > PROTOCOL_CHILD_FDS)
		count = PROTOCOL_CHILD_FDS;
	memcpy(fds, CMSG_DATA(header), count * sizeof(int));
	if (count == PROTOCOL_CHILD_FDS && !(message->msg_flags & MSG_CTRUNC))
		return true;
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
	return false;
}

enum packets_result packets_receive(int socket, struct protocol_report *report, int fds[PROTOCOL_CHILD_FDS],
                                    bool *with_fds)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(PROTOCOL_CHILD_FDS * sizeof(int))];
	} control;
	struct iovec piece = { .iov_base = report, .iov_len = sizeof(*report) };
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = 0;

	do
		got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return PACKETS_NONE;
	*with_fds = got > 0 && take_descriptors(&message, fds);
	return got == (ssize_t)sizeof(*report) ? PACKETS_ONE : PACKETS_END;
}
