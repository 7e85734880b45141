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
	PACKET_ONE,  /* `data` is filled */
	PACKET_NONE, /* there is nothing now */
	PACKET_END,  /* there will be nothing more */
};

/* Receives a packet of `size` bytes; waits for it if `wait`.  Sets *with_fds where `count` descriptors came with it,
 * which are the caller's then, and close on exec: its process may have had none left for them. */
enum packet_result packet_receive(int socket, bool wait, void *data, size_t size, int *fds, size_t count,
                                  bool *with_fds);

#endif
