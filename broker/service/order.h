/* SPDX-License-Identifier: MIT */
/* What the command line and its starter say to each other. */
#ifndef SAFE_DECODE_ORDER_H
#define SAFE_DECODE_ORDER_H

#include <stdint.h>

/* The starter's arguments, after its name. */
enum {
	ORDER_BUILD = 1, /* PROTOCOL_BUILD_ID */
	ORDER_FOLDER,    /* of decoder programs */
	ORDER_MEMORY,    /* of each broker, as in protocol.h */
	ORDER_SPARES,
	ORDER_IDLE, /* seconds */
	ORDER_ARGUMENTS,
};

/* Descriptors that it finds. */
enum { ORDER_SOCKET = 0, ORDER_CALLER = 3 };

/* All that it can be told: a decoder of the compiled-in list. */
struct order {
	char program[64];
};

/* The answer, with ORDER_FDS descriptors where there is a broker. */
struct delivery {
	uint32_t status; /* enum sdec_status */
	int32_t error_number;
	int32_t pid;
	char reason[192]; /* where there is none */
};

enum { ORDER_PIDFD, ORDER_BROKER, ORDER_TIMER, ORDER_FDS };

#endif
