/* SPDX-License-Identifier: MIT */
#ifndef SAFE_DECODE_WORDS_H
#define SAFE_DECODE_WORDS_H

#include <stdbool.h>

/* Whether `word` is one of `words`, which are separated by single spaces.  Case does not matter. */
bool words_have(const char *words, const char *word);

#endif
