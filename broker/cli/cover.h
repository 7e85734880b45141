/* SPDX-License-Identifier: MIT */
/* The picture that a child takes out of a file, on its way to the child that decodes it: bytes that nobody looks at. */
#ifndef SAFE_DECODE_COVER_H
#define SAFE_DECODE_COVER_H

#include <stddef.h>

#include "broker/wire/reader.h"

struct cover {
	int fd;       /* a file in memory; -1: none */
	char *buffer; /* owned; NULL: none */
};

#define COVER_NONE ((struct cover){ .fd = -1 })

/* For the consumer that takes the bytes: opens the file, gives room, writes.  Outcomes are SDEC_OK and SDEC_IO. */
struct outcome cover_open(struct cover *cover);
void *cover_reserve(struct cover *cover, size_t *size);
struct outcome cover_commit(struct cover *cover, size_t size);

/* The file, at its start; the caller closes it. */
int cover_give(struct cover *cover);
void cover_close(struct cover *cover);

#endif
