/* SPDX-License-Identifier: MIT */
/* In this order, so that what is decided stays so: tags are passed over; marks of our formats; marks of others; formats
 * that only the name tells; at last, whichever of those that are guessed is decided with the fewest bytes. */
#include "recognise.h"

#include <string.h>
#include <unistd.h>

#include "broker/base/words.h"
#include "look.h"
#include "registry.h"

static enum recognise_answer known(struct recognition *result, const struct format *format)
{
	*result = (struct recognition){ .format = format };
	return RECOGNISE_KNOWN;
}

static enum recognise_answer unknown(struct recognition *result, const char *looks_like)
{
	*result = (struct recognition){ .looks_like = looks_like };
	return RECOGNISE_UNKNOWN;
}

/* `more`: counted from the start of the view. */
static enum recognise_answer undecided(struct recognition *result, const struct look_view *view, size_t more)
{
	size_t most = more > view->size ? more : view->size + 1;

	*result = (struct recognition){ .more = most < RECOGNISE_MOST ? most : RECOGNISE_MOST };
	return RECOGNISE_MORE;
}

/* The format of sound whose files have this extension, or NULL. */
static const struct format *sound_by_extension(const char *extension)
{
	const struct format *format = NULL;

	for (size_t i = 0; *extension && (format = registry_at(i)) != NULL; i++)
		if (format->kind == SDEC_KIND_AUDIO && words_have(format->extensions, extension))
			return format;
	return NULL;
}

/* Whatever has a tag is equally likely to follow it: the name decides, else it is what most often has one. */
static const struct format *format_behind_tags(const char *extension)
{
	const struct format *format = sound_by_extension(extension);

	return format ? format : registry_by_name("mp3");
}

static enum look look_format(const struct look_view *view, const struct format *format, size_t *more)
{
	enum look best = LOOK_NO;

	for (const struct look_pattern *mark = format->marks; mark && mark->size > 0 && best != LOOK_YES; mark++) {
		enum look look = look_pattern(view, mark);
		best = look > best ? look : best;
	}
	return best == LOOK_NO && format->look ? format->look(view, more) : best;
}

/* LOOK_YES: *format is that of a mark, which is of ours, or NULL: then *name says what it is. */
static enum look look_marks(const struct look_view *view, bool tagged, const struct format **format, const char **name,
                            size_t *more)
{
	for (size_t i = 0; (*format = registry_at(i)) != NULL; i++) {
		enum look look = LOOK_NO;
		if (!tagged || (*format)->kind == SDEC_KIND_AUDIO)
			look = look_format(view, *format, more);
		if (look != LOOK_NO)
			return look;
	}
	return look_others(view, name);
}

struct guess {
	size_t place; /* where the input is decided; 0: not yet */
	const struct format *format;
	const char *name;
};

/* The first of equals stays. */
static void add_guess(struct guess *best, size_t place, const struct format *format, const char *name)
{
	if (place > 0 && (best->place == 0 || place < best->place))
		*best = (struct guess){ place, format, name };
}

static struct guess guess_all(const struct look_view *view, bool tagged)
{
	struct guess best = { 0 };
	const struct format *format = NULL;
	const char *name = "AAC (ADTS)";
	size_t other = tagged ? guess_adts(view) : guess_others(view, &name);

	if (!tagged) {
		add_guess(&best, guess_text(view), NULL, "text");
		add_guess(&best, guess_utf16(view), NULL, "UTF-16 text");
	}
	for (size_t i = 0; (format = registry_at(i)) != NULL; i++)
		if (format->guess)
			add_guess(&best, format->guess(view), format, NULL);
	add_guess(&best, other, NULL, name);
	if (!best.format && best.name && strcmp(best.name, "text") == 0)
		best.name = look_name_text(view);
	return best;
}

/* What the view starts with, from which tags were taken away if it is `tagged`. */
static enum recognise_answer look_at(const struct look_view *view, bool tagged, const char *file_name,
                                     struct recognition *result)
{
	const struct format *format = NULL;
	const char *name = NULL;
	size_t more = 0;
	enum look look = look_marks(view, tagged, &format, &name, &more);

	if (look == LOOK_MORE)
		return undecided(result, view, more);
	if (look == LOOK_YES)
		return format ? known(result, format) : unknown(result, name);
	format = !tagged && file_name && view->size > 0 ? registry_by_file_name(file_name) : NULL;
	if (format)
		return known(result, format);
	struct guess guess = guess_all(view, tagged);
	if (guess.place > 0)
		return guess.format ? known(result, guess.format) : unknown(result, guess.name);
	if (!view->ended)
		return undecided(result, view, view->size + view->size / 8 + 1);
	return tagged ? known(result, format_behind_tags(view->extension)) : unknown(result, NULL);
}

static const char *extension_of(const char *name)
{
	const char *slash = name ? strrchr(name, '/') : NULL;
	const char *dot = name ? strrchr(slash ? slash : name, '.') : NULL;

	return dot ? dot + 1 : "";
}

enum recognise_answer recognise(const uint8_t *start, size_t size, bool ended, const char *name,
                                struct recognition *result)
{
	const struct look_view view = { .bytes = start,
		                        .size = size < RECOGNISE_MOST ? size : RECOGNISE_MOST,
		                        .ended = ended || size >= RECOGNISE_MOST,
		                        .extension = extension_of(name) };
	struct look_view rest = view;
	size_t place = 0;
	enum recognise_answer answer = RECOGNISE_MORE;

	for (unsigned i = 0; i < RECOGNISE_TAGS; i++) {
		size_t tag = 0;
		enum look look = look_tag(&rest, &tag);
		if (look == LOOK_MORE)
			return undecided(result, &view, 0);
		if (look == LOOK_NO)
			break;
		if (tag >= rest.size && view.ended)
			return known(result, format_behind_tags(view.extension));
		if (tag >= rest.size)
			return undecided(result, &view, tag < RECOGNISE_MOST ? place + tag + 1 : RECOGNISE_MOST);
		place += tag;
		rest = look_behind(&view, place);
	}
	answer = look_at(&rest, place > 0, name, result);
	if (answer == RECOGNISE_MORE)
		return undecided(result, &view, place + result->more);
	return answer;
}

enum recognise_answer recognise_behind(int fd, const uint8_t *start, size_t size, const char *name,
                                       struct recognition *result)
{
	enum { ROOM = 8192 };
	uint8_t bytes[ROOM];
	struct look_view view = { .bytes = start, .size = size, .ended = true, .extension = extension_of(name) };
	size_t tag = 0;
	off_t place = look_tag(&view, &tag) == LOOK_YES && tag < SIZE_MAX ? lseek(fd, 0, SEEK_CUR) : -1;

	*result = (struct recognition){ 0 };
	if (place < (off_t)size)
		return RECOGNISE_MORE;
	place -= (off_t)size;
	view.bytes = bytes;
	for (unsigned i = 0; i < RECOGNISE_TAGS && tag > 0 && tag < SIZE_MAX; i++) {
		place += (off_t)tag;
		ssize_t got = pread(fd, bytes, sizeof(bytes), place);
		view.size = got > 0 ? (size_t)got : 0;
		tag = 0;
		if (look_tag(&view, &tag) != LOOK_YES)
			tag = 0;
	}
	return look_at(&view, true, name, result);
}
