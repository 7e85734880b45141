/* SPDX-License-Identifier: MIT */
#include "packet.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(PACKET_FDS * sizeof(int))];
};

bool packet_send(int socket, const void *data, size_t size, const int *fds, size_t count)
{
	struct iovec piece = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	union control control;
	ssize_t sent = 0;

	if (count > 0) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	do
		sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)size;
}

/* Takes the descriptors that came with a message, all or none. */
static bool take_descriptors(struct msghdr *message, int *fds, size_t wanted)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int came[PACKET_FDS];

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return false;
	size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (count > PACKET_FDS)
		count = PACKET_FDS;
	memcpy(came, CMSG_DATA(header), count * sizeof(int));
	if (count == wanted && !(message->msg_flags & MSG_CTRUNC)) {
		memcpy(fds, came, count * sizeof(int));
		return true;
	}
	for (size_t i = 0; i < count; i++)
		(void)close(came[i]);
	return false;
}

enum packet_result packet_receive(int socket, bool wait, struct packet *packet)
{
	union control control;
	struct iovec piece = { .iov_base = packet->data, .iov_len = packet->size };
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = 0;
	bool again = false, reset = false;

	packet->got = 0;
	packet->with_fds = false;
	do {
		got = recvmsg(socket, &message, (wait ? 0 : MSG_DONTWAIT) | MSG_CMSG_CLOEXEC);
		/* That the other side closed with packets unread comes once, and before what it sent. */
		again = got < 0 && (errno == EINTR || (errno == ECONNRESET && !reset));
		reset |= got < 0 && errno == ECONNRESET;
	} while (again);
	if (got < 0 && errno == EAGAIN)
		return PACKET_NONE;
	if (got <= 0)
		return PACKET_END;
	packet->got = (size_t)got;
	packet->with_fds = take_descriptors(&message, packet->fds, packet->count);
	return PACKET_ONE;
}
