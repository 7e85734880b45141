/* SPDX-License-Identifier: MIT */
/* What goes over the socket to a broker, a packet at a time, without waiting. */
#ifndef SAFE_DECODE_PACKETS_H
#define SAFE_DECODE_PACKETS_H

#include <stdbool.h>

#include "../protocol.h"

/* Returns false where the broker does not take it: it is gone, or has left its socket full. */
bool packets_send(int socket, const struct protocol_command *command);

enum packets_result {
	PACKETS_ONE,  /* *report is filled */
	PACKETS_NONE, /* there is nothing now */
	PACKETS_END,  /* there will be nothing more */
};

/* Sets *with_fds where the descriptors of a child came with it, which are the caller's then: its process may have had
 * none left for them. */
enum packets_result packets_receive(int socket, struct protocol_report *report, int fds[PROTOCOL_CHILD_FDS],
                                    bool *with_fds);

#endif
