/* SPDX-License-Identifier: MIT */
#include "inquire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/base/fds.h"
#include "broker/base/packet.h"
#include "broker/base/reasons.h"
#include "broker/decode/limits.h"
#include "hello.h"
#include "start.h"

enum { PATIENCE = 5000 }; /* milliseconds for a program to say hello */

static struct outcome listen_to(int socket, const char **library)
{
	union {
		char room[HELLO_ROOM];
		struct protocol_hello hello;
	} data;
	struct packet packet = { .data = &data, .size = sizeof(data) };
	struct pollfd ready = { .fd = socket, .events = POLLIN };

	while (poll(&ready, 1, PATIENCE) < 0)
		if (errno != EINTR)
			return outcome_of_making("cannot wait for the decoder program", errno);
	if (packet_receive(socket, false, &packet) != PACKET_ONE)
		return hello_missing();
	struct outcome outcome = hello_judge(&packet);
	if (outcome.status == SDEC_OK)
		*library = hello_library(&data.hello);
	return outcome;
}

struct outcome inquire(const char *folder, const char *program, const char **library)
{
	const struct decoder_numbers numbers = { .memory = LIMITS_MEMORY_LEAST };
	struct started started = STARTED_NONE;
	int ends[2] = { -1, -1 };

	*library = NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return outcome_of_making("cannot make a socket", errno);
	struct start_plan plan = {
		.fds = { [PROTOCOL_SOCKET] = ends[1], -1, [STDERR_FILENO] = ends[1], -1, -1 },
		.detached = true,
	};
	struct outcome outcome = start_decoder(folder, program, PROTOCOL_MODE_ABOUT, &numbers, &plan, &started);
	fds_close(&ends[1]);
	if (outcome.status == SDEC_OK) {
		outcome = listen_to(ends[0], library);
		(void)started_reap(&started, 0);
	}
	fds_close(&ends[0]);
	return outcome;
}
