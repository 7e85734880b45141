/* SPDX-License-Identifier: MIT */
/* Memory that must not be touched, where AddressSanitizer is there to see it. */
#ifndef SAFE_DECODE_FUZZ_POISON_H
#define SAFE_DECODE_FUZZ_POISON_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define HAS_ADDRESS_SANITIZER 1
#endif

#ifdef HAS_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#define POISON(start, size) __asan_poison_memory_region(start, size)
#define UNPOISON(start, size) __asan_unpoison_memory_region(start, size)
#else
#define POISON(start, size) ((void)(start), (void)(size))
#define UNPOISON(start, size) ((void)(start), (void)(size))
#endif

#endif
