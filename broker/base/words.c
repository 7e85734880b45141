/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <string.h>
#include <strings.h>

bool words_have(const char *words, const char *word)
{
	size_t length = strlen(word);

	while (*words) {
		size_t next = strcspn(words, " ");
		if (next == length && strncasecmp(words, word, length) == 0)
			return true;
		words += next + (words[next] == ' ');
	}
	return false;
}
