/* SPDX-License-Identifier: MIT */
/* What a decoder gives the program that it is linked into: decoders/runtime/program.c has it. */
#ifndef SAFE_DECODE_ENTRY_H
#define SAFE_DECODE_ENTRY_H

#include <stddef.h>

/* Does now what the codec does lazily: no decoder can do it once it is locked down. */
void decoder_initialise(void);

/* Decodes the decoder's sample, in memory: makes no system call. */
void decoder_warm_up(void);

/* Decodes one input, from descriptor 0 to descriptor 1, then exits by the raw system call: does not return. */
void decoder_run(void);

/* An allocation is about to return NULL.  Does not return where the codec would not survive that; a program whose codec
 * does has no such function. */
__attribute__((weak)) void decoder_out_of_memory(void);

/* Writes name and version of the codec library: "libpng 1.6.39". */
void decoder_library(char *text, size_t size);

#endif
