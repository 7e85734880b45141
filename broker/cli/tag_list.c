/* SPDX-License-Identifier: MIT */
#include "tag_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"

struct tag {
	enum wire_tag tag;
	char *value; /* owned */
};

struct outcome tag_list_add(struct tag_list *list, enum wire_tag tag, const char *value)
{
	/* The reader has limited how many there are, and how long. */
	struct tag *tags = realloc(list->tags, (list->count + 1) * sizeof(*tags));
	char *copy = strdup(value);

	if (tags)
		list->tags = tags;
	if (!tags || !copy) {
		free(copy);
		return outcome_of_errno(SDEC_IO, "no memory for the tags", ENOMEM);
	}
	tags[list->count++] = (struct tag){ .tag = tag, .value = copy };
	return outcome_ok();
}

void tag_list_print(const struct tag_list *list, FILE *stream)
{
	const char *next_name = "";

	fputc('{', stream);
	for (unsigned tag = 0; tag < WIRE_TAGS; tag++) {
		const char *next_value = "";
		for (size_t i = 0; i < list->count; i++) {
			if (list->tags[i].tag != tag)
				continue;
			if (!*next_value)
				fprintf(stream, "%s\"%s\": [", next_name, sdec_tag_name((enum sdec_tag)tag));
			fputs(next_value, stream);
			escape_json(stream, list->tags[i].value);
			next_value = ", ";
			next_name = ", ";
		}
		if (*next_value)
			fputc(']', stream);
	}
	fputc('}', stream);
}

void tag_list_free(struct tag_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->tags[i].value);
	free(list->tags);
	*list = (struct tag_list){ .tags = NULL };
}
