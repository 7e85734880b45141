/* SPDX-License-Identifier: MIT */
/* One packet, and descriptors with it, over a SOCK_SEQPACKET socket between two processes of the trusted side. */
#ifndef SAFE_DECODE_PACKET_H
#define SAFE_DECODE_PACKET_H

#include <stdbool.h>
#include <stddef.h>

enum { PACKET_FDS = 4 }; /* descriptors that can go with a packet */

/* Sends without waiting.  Returns false, with errno, where the other side does not take it: it is gone, or has left its
 * socket full. */
bool packet_send(int socket, const void *data, size_t size, const int *fds, size_t count);

enum packet_result {
	PACKET_ONE,  /* `data` has it */
	PACKET_NONE, /* there is nothing now */
	PACKET_END,  /* there will be nothing more */
};

struct packet {
	void *data;
	size_t size; /* of `data`; a longer packet is cut */
	size_t got;  /* bytes that came */
	int *fds;
	size_t count;  /* descriptors that are expected, at most PACKET_FDS */
	bool with_fds; /* so many came: they are the caller's, and close on exec.  Else those that came are closed: this
	                * process may have had none left for the others */
};

/* Receives one packet; waits for it if `wait`. */
enum packet_result packet_receive(int socket, bool wait, struct packet *packet);

#endif
