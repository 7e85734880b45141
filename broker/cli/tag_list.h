/* SPDX-License-Identifier: MIT */
/* The tags of one input, kept for --info.  What they say is the attacker's. */
#ifndef SAFE_DECODE_TAG_LIST_H
#define SAFE_DECODE_TAG_LIST_H

#include <stddef.h>
#include <stdio.h>

#include "broker/wire/status.h"
#include "broker/wire/wire.h"

/* Zero at first. */
struct tag_list {
	struct tag *tags; /* owned */
	size_t count;
};

/* Keeps a copy.  Returns SDEC_OK or SDEC_IO (no memory). */
struct outcome tag_list_add(struct tag_list *list, enum wire_tag tag, const char *value);

/* Writes a JSON object in ASCII: for each name that there is, an array of its values. */
void tag_list_print(const struct tag_list *list, FILE *stream);

void tag_list_free(struct tag_list *list);

#endif
