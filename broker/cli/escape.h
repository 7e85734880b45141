/* SPDX-License-Identifier: MIT */
/* Text of unknown origin, such as file names, made safe to show. */
#ifndef SAFE_DECODE_ESCAPE_H
#define SAFE_DECODE_ESCAPE_H

#include <stdio.h>

/* Writes the text as printable ASCII: a backslash as \\, every other byte outside of it as \n, \t or \xNN. */
void escape_text(FILE *stream, const char *text);

/* Writes the text as a JSON string in ASCII.  Bytes that are not UTF-8 become lone surrogates, \udcNN, as in Python. */
void escape_json(FILE *stream, const char *text);

#endif
