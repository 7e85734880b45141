/* SPDX-License-Identifier: MIT */
/*
 * What a decoder is, and all that it sees of the world.
 *
 * A decoder is one file in this folder that defines `const struct decoder decoder`, and one row in
 * broker/recognise/registry.c. It is linked with what all decoders share (session.c, pixels.c, ...), the memory
 * allocator and the lock-down into a program of its own, build/decoders/NAME.
 *
 * decode() runs after lock-down: malloc() works (it is an arena that returns NULL when full), read() and write() are
 * the session's business, and any other system call is death.  Everything that a library does lazily must have been
 * done by initialise(), which runs once, before the lock-down.
 */
#ifndef SAFE_DECODE_DECODER_H
#define SAFE_DECODE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/wire/wire.h"

struct session;

/* What the functions below and decode() return: WIRE_OK, one of enum wire_failure, or SESSION_STOP. */
typedef uint32_t session_result;

/* Not a failure: the caller has all that it wants, or is gone.  decode() releases what it holds and returns this. */
#define SESSION_STOP UINT32_MAX

struct decoder {
	const char *name;
	const char *library;          /* whose code decodes: "libpng"; NULL: ours */
	const char *(*version)(void); /* of the library that is running, as it tells; NULL: it does not */
	void (*initialise)(void);     /* may be NULL */
	bool gives_covers;            /* decode() knows WIRE_COVER */

	/* Decodes one input.  Returns WIRE_OK when it is whole, a failure, or what a session function returned.
	 * Releases all that it allocated, whatever the ending. */
	session_result (*decode)(struct session *session);

	/* A small input that a child decodes before its work comes, so that the memory that it will need is there.
	 * NULL: none. */
	const uint8_t *sample, *sample_end;
	uint32_t sample_variant;
};

/* Defines NAME and NAME_end, the contents of a file, seen from the project's top folder. */
#define DECODER_SAMPLE(name, file)                                                                                     \
	__asm__(".section .rodata\n" #name ":\n.incbin \"" file "\"\n" #name "_end:\n.byte 0\n.previous\n");           \
	extern const uint8_t name[] __attribute__((visibility("hidden")));                                             \
	extern const uint8_t name##_end[] __attribute__((visibility("hidden")))

/* Each decoder's file defines this. */
extern const struct decoder decoder;

/* The request, valid for the whole session and checked: operation, pixel_formats and limits make sense. */
const struct wire_request *session_request(const struct session *session);

/* Gives the next run of input bytes: returns how many (1 or more) and points *data at them; 0 at the end of the input.
 * The bytes are valid, and may be overwritten by the decoder, until the next call. */
size_t session_read(struct session *session, const uint8_t **data);

/* Total number of input bytes handed out by session_read() so far. */
uint64_t session_consumed(const struct session *session);

/* Whether at least one more byte of input is left; waits for it or for the end. */
bool session_has_more(struct session *session);

/* Whether the decoder can have parts of the input in any order.  It was offered to programs that a row of the registry
 * says can make use of it, and its size is session_request(session)->input_total.  See also seekable.h. */
bool session_is_random(const struct session *session);

/* Copies a part of such an input.  Returns how much there was of `size` bytes: less only at the end. */
size_t session_read_at(struct session *session, uint64_t offset, void *to, size_t size);

/* Checks width, height and frames against the limits alone, without sending anything: call it as soon as the header
 * is known and before the codec allocates by it.  Returns WIRE_OK or a failure. */
session_result session_check_size(const struct session *session, uint32_t width, uint32_t height, uint32_t frames);

/* The one format of those that the caller takes which loses least of a picture with this color, depth and flags. */
enum wire_pixel_format session_choose_format(const struct session *session, const struct wire_image *image);

/* For decoders that can reduce a picture of this size and orientation themselves: returns 1, 2, 4 or 8, but not more
 * than `most`, by which width and height are to be divided, rounded up, in all that they announce and give.  The
 * session does the rest, or, where a decoder does not ask, all of it. */
uint32_t session_take_scale(struct session *session, uint32_t width, uint32_t height, uint32_t orientation,
                            uint32_t most);

/* The decoder does not give the mean of each square, but its first pixel. */
void session_takes_corners(struct session *session);

/* Announces the picture, or the next page.  All fields of *image must be set; where `frames` are more than are wanted,
 * fewer are sent; pixel_format by session_choose_format().  Returns WIRE_OK, a limit failure, or SESSION_STOP when only
 * information was wanted. */
session_result session_image(struct session *session, const struct wire_image *image);

/* Starts the next frame; delay in milliseconds.  Returns WIRE_OK, or SESSION_STOP where no more are wanted. */
session_result session_frame(struct session *session, uint32_t delay);

/* The same, of an animation of which only a rectangle may differ from the frame before.  All rows are given. */
session_result session_frame_part(struct session *session, uint32_t delay, uint32_t x, uint32_t y, uint32_t width,
                                  uint32_t height);

/* Of a progressive or interlaced picture, after session_frame() and before its first row: whether a coarse form of it
 * is wanted, too. */
bool session_wants_preview(const struct session *session);

/* Begins it.  All its rows are given, as of a frame, and then session_end_preview() is called.  The rows of the next
 * preview, or of the picture, follow. */
session_result session_begin_preview(struct session *session);
void session_end_preview(struct session *session);

/* Whether the next frame or page comes before the first that is wanted, so that it need not be decoded: it counts as
 * begun then, and the one after it is the next. */
bool session_pass_frame(struct session *session);

/* Room for whole rows of the current frame, width times pixel bytes each, without padding: points *rows at it and sets
 * *count to the number of rows (1 or more, at most what the frame lacks). */
session_result session_rows(struct session *session, uint8_t **rows, size_t *count);

/* The next `count` rows at the place that session_rows() gave are ready; they need not be all that there was room for.
 */
session_result session_commit_rows(struct session *session, size_t count);

/* The one sample format of those that the caller takes which loses least of samples with this depth in bits, or of
 * floating-point ones if `is_float`; WIRE_SAMPLE_FORMATS if it takes no audio. */
enum wire_sample_format session_choose_samples(const struct session *session, uint32_t depth, bool is_float);

/* Tells the caller a tag, before the audio is announced or in it.  The value ends at its first zero byte and is cut to
 * WIRE_VALUE_MAX bytes, between characters of UTF-8; an empty one, and one too many, is left out. */
void session_tag(struct session *session, enum wire_tag tag, const char *value, size_t size);

/* The same of a picture, before it is announced, if anybody wants to know: only then is it worth looking for. */
bool session_wants_tags(const struct session *session);
void session_picture_tag(struct session *session, enum wire_tag tag, const char *value, size_t size);

/* A block of a picture as it is in the file, before the picture is announced, if it is wanted; the first of its kind.
 * What is larger than request->max_metadata is left out, with a note. */
bool session_wants_blob(const struct session *session, enum wire_blob_kind kind);
void session_blob(struct session *session, enum wire_blob_kind kind, const uint8_t *data, size_t size);

/* Announces audio.  All fields of *audio must be set; sample_format by session_choose_samples().  Returns WIRE_OK, a
 * failure, or SESSION_STOP when only information was wanted. */
session_result session_audio(struct session *session, const struct wire_audio *audio);

/* Room for whole sample frames: points *samples at it and sets *count to the number of frames, 1 or more.  It is lost
 * when session_read() or session_has_more() is called before the commit. */
session_result session_samples(struct session *session, uint8_t **samples, size_t *count);

/* `count` sample frames are ready.  Returns WIRE_OK, WIRE_FAIL_LIMIT_OUTPUT or SESSION_STOP. */
session_result session_commit_samples(struct session *session, size_t count);

/* Puts `count` sample frames, from the one with index `first` on, at `room`. */
typedef void session_put_samples(const void *context, uint8_t *room, size_t first, size_t count);

/* Sends `count` sample frames, which `put` writes piece by piece.  Returns as session_commit_samples(). */
session_result session_send_samples(struct session *session, size_t count, session_put_samples *put,
                                    const void *context);

/* A part of the audio was damaged, and the codec concealed or skipped it: counts it.  Returns WIRE_OK to go on, or what
 * decode() must return because the caller is strict. */
session_result session_loss(struct session *session, enum wire_failure failure);

/* Announces a stream of bytes instead of a picture, or the bytes of a cover.  Returns WIRE_OK or SESSION_STOP. */
session_result session_bytes(struct session *session);

/* Room for bytes of the stream: points *data at it and sets *size, 1 or more. */
session_result session_data(struct session *session, uint8_t **data, size_t *size);

/* `size` bytes are ready.  Returns WIRE_OK, WIRE_FAIL_LIMIT_OUTPUT or SESSION_STOP. */
session_result session_commit_data(struct session *session, size_t size);

/* The input is damaged from here on; everything committed so far is good.  Returns what decode() must return: the
 * failure itself, or SESSION_STOP when the caller keeps partial results and an image or stream was announced. */
session_result session_damage(struct session *session, enum wire_failure failure);

/* All that was asked for is there, but its end is missing or wrong, or something follows it: `note` says which. Returns
 * WIRE_OK to go on, or what decode() must return because the caller is strict. */
session_result session_flaw(struct session *session, uint32_t note, enum wire_failure failure);

/* Decoding takes so many bytes besides what the session has: for the message, should that be more than there are. */
void session_needs(struct session *session, uint64_t memory);

/* Whether the caller keeps partial results. */
bool session_partial(const struct session *session);

/* Adds WIRE_NOTE_... bits to what END will say. */
void session_note(struct session *session, uint32_t notes);

/* ---- for those who run decoders: the child's main function, fuzz harnesses, tests ---- */

struct session_io {
	/* As read(2) and write(2), on no particular descriptor. */
	ssize_t (*read)(void *context, void *data, size_t size);
	ssize_t (*write)(void *context, const void *data, size_t size);
	void *context;
	size_t touch; /* bytes of the buffers to touch before they are used */
};

/* Says HELLO, reads the request, decodes, and says END or FAIL.  Returns false when the other side went away or sent a
 * request that makes no sense. */
bool session_serve(const struct decoder *decoder, const struct session_io *io);

/* Decodes the decoder's sample, if it has one, in memory and without a system call, after touching `touch` bytes of its
 * buffers: for what is better not done for the first time when the work comes. */
void session_rehearse(const struct decoder *decoder, size_t touch);

#endif
