/* SPDX-License-Identifier: MIT */
/* Sound through the library: whole, into memory of the caller's, probed and streamed, against the command line. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/library_sound.h"

#define TONE "samples/wav/tone-s16.wav"
#define SURROUND "samples/vorbis/tone-5.1.ogg"
#define ALBUM "samples/flac/flac-multiple-album-artists-tags.flac"

static const char *const folders[] = { "samples/flac", "samples/vorbis", "samples/opus", "samples/mp3",
	                               "samples/wav",  "samples/aiff",   "samples/au" };

static struct sdec_request request_for(uint32_t sample_format)
{
	return (struct sdec_request){ .size = sizeof(struct sdec_request), .sample_format = sample_format };
}

/* The same file in all the ways there are. */
static void expect_agreement(struct sdec_pool *decoder, const char *path)
{
	struct blob file = read_blob(path);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_audio audio = { .size = sizeof(audio) };
	struct sdec_info info = { .size = sizeof(info) };
	struct sdec_result result = { .size = sizeof(result) };
	char arguments[512];

	(void)snprintf(arguments, sizeof(arguments), "-t raw '%s'", path);
	struct blob wanted = command_line(arguments);
	cr_assert_eq(sdec_decode_audio(decoder, &input, NULL, &audio, &result), SDEC_OK, "%s: %s", path, result.reason);
	cr_assert_eq(audio.samples_size, wanted.size, "%s", path);
	cr_assert(wanted.size == 0 || memcmp(audio.samples, wanted.data, wanted.size) == 0, "%s", path);
	struct heard heard = listen_to(decoder, &input, NULL);
	cr_assert_eq(heard.status, SDEC_OK, "%s: %s", path, heard.result.reason);
	cr_assert_eq(heard.size, wanted.size, "%s", path);
	cr_assert(wanted.size == 0 || memcmp(heard.data, wanted.data, wanted.size) == 0, "%s", path);
	cr_assert_eq(heard.info.rate, audio.rate);
	cr_assert_eq(heard.info.channels, audio.channels);
	cr_assert_eq(heard.info.sample_format, audio.sample_format);
	cr_assert_eq(heard.frames, audio.sample_frames);
	cr_assert_eq(heard.result.losses, result.losses);
	cr_assert_eq(heard.losses, result.losses);
	cr_assert(memcmp(heard.info.speakers, audio.speakers, sizeof(audio.speakers)) == 0);
	cr_assert_eq(sdec_probe(decoder, &input, NULL, &info, NULL), SDEC_OK, "%s", path);
	cr_assert_eq(info.kind, SDEC_KIND_AUDIO);
	cr_assert_eq(info.rate, audio.rate);
	cr_assert_eq(info.channels, audio.channels);
	cr_assert_eq(info.channel_layout, audio.channel_layout);
	cr_assert_eq(info.sample_format, audio.sample_format);
	sdec_audio_free(&audio);
	cr_assert_null(audio.samples);
	free(heard.data);
	free_blob(&wanted);
	free_blob(&file);
}

/* Each file of a folder and those in it, at most `most`.  Returns how many there were. */
static int visit(struct sdec_pool *decoder, const char *folder, int most)
{
	DIR *stream = opendir(folder);
	const struct dirent *entry = NULL;
	int count = 0;

	cr_assert_not_null(stream, "%s", folder);
	while (count < most && (entry = readdir(stream)) != NULL) {
		char path[512];
		/* Three of the samples are damaged, and refused. */
		if (entry->d_name[0] == '.' || strstr(entry->d_name, "bad-") || strstr(entry->d_name, "nonstandard"))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_type == DT_DIR) {
			count += visit(decoder, path, most - count);
			continue;
		}
		expect_agreement(decoder, path);
		count++;
	}
	cr_assert_eq(closedir(stream), 0);
	return count;
}

Test(library_sound, every_sample_as_the_command_line)
{
	struct sdec_pool *decoder = open_decoder(NULL);

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		cr_assert_gt(visit(decoder, folders[i], 100), 0);
	sdec_pool_close(&decoder);
}

/* Files of a corpus of real music, where there is one. */
Test(library_sound, the_corpus_as_the_command_line)
{
	static const char *const corpus[] = { "../shared/corpus/flac/valid", "../shared/corpus/vorbis/valid",
		                              "../shared/corpus/mp3/valid", "../shared/corpus/wav/valid",
		                              "../shared/corpus/opus/valid" };
	struct sdec_pool *decoder = open_decoder(NULL);

	for (size_t i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++)
		if (access(corpus[i], R_OK) == 0)
			cr_assert_gt(visit(decoder, corpus[i], 6), 0, "%s", corpus[i]);
	sdec_pool_close(&decoder);
}

Test(library_sound, every_sample_format)
{
	static const char *const names[] = { "s16", "s24", "s32", "f32" };
	static const char *const files[] = { TONE, "samples/wav/tone-f32.wav", "samples/flac/tone-5.1-s24.flac",
		                             "samples/opus/testcase.opus" };
	struct sdec_pool *decoder = open_decoder(NULL);

	for (uint32_t format = SDEC_S16; format <= SDEC_F32; format++)
		for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
			struct sdec_request request = request_for(format);
			struct sdec_audio audio = { .size = sizeof(audio) };
			struct blob file = read_blob(files[i]);
			struct sdec_input input = memory_input(file.data, file.size);
			char arguments[256];
			(void)snprintf(arguments, sizeof(arguments), "-t raw --samples %s %s", names[format - 1],
			               files[i]);
			struct blob wanted = command_line(arguments);
			cr_assert_eq(sdec_decode_audio(decoder, &input, &request, &audio, NULL), SDEC_OK);
			cr_assert_eq(audio.sample_format, format);
			cr_assert_eq(audio.samples_size, wanted.size);
			cr_assert(memcmp(audio.samples, wanted.data, wanted.size) == 0);
			sdec_audio_free(&audio);
			free_blob(&wanted);
			free_blob(&file);
		}
	sdec_pool_close(&decoder);
}

/* ---- what is known ---- */

Test(library_sound, the_header)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_info info = { .size = sizeof(info) };

	struct blob file = read_blob(TONE);
	struct sdec_input input = memory_input(file.data, file.size);
	cr_assert_eq(sdec_probe(decoder, &input, NULL, &info, NULL), SDEC_OK);
	cr_assert_str_eq(info.format, "wav");
	cr_assert_eq(info.rate, 8000);
	cr_assert_eq(info.channels, 2);
	cr_assert_eq(info.depth, 16);
	cr_assert_eq(info.sample_frames, 400);
	cr_assert_eq(info.sample_format, SDEC_S16);
	cr_assert_eq(info.has_float + info.lossy + info.has_cover + info.width, 0);
	free_blob(&file);
	file = read_blob("samples/flac/tone-cover.flac");
	input = memory_input(file.data, file.size);
	cr_assert_eq(sdec_probe(decoder, &input, NULL, &info, NULL), SDEC_OK);
	cr_assert_neq(info.has_cover, 0);
	free_blob(&file);
	file = read_blob("samples/wav/tone-f32.wav");
	input = memory_input(file.data, file.size);
	cr_assert_eq(sdec_probe(decoder, &input, NULL, &info, NULL), SDEC_OK);
	cr_assert_neq(info.has_float, 0);
	cr_assert_eq(info.depth, 32);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* Vorbis has the center second, and low frequencies last. */
Test(library_sound, the_order_of_channels)
{
	static const uint8_t vorbis[] = { SDEC_FRONT_LEFT, SDEC_FRONT_CENTER, SDEC_FRONT_RIGHT,
		                          SDEC_SIDE_LEFT,  SDEC_SIDE_RIGHT,   SDEC_LOW_FREQUENCY };
	static const uint8_t wave[] = { SDEC_FRONT_LEFT,    SDEC_FRONT_RIGHT, SDEC_FRONT_CENTER,
		                        SDEC_LOW_FREQUENCY, SDEC_BACK_LEFT,   SDEC_BACK_RIGHT };
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_info info = { .size = sizeof(info) };

	for (int i = 0; i < 2; i++) {
		struct blob file = read_blob(i == 0 ? SURROUND : "samples/wav/tone-5.1-s24.wav");
		struct sdec_input input = memory_input(file.data, file.size);
		cr_assert_eq(sdec_probe(decoder, &input, NULL, &info, NULL), SDEC_OK);
		cr_assert_eq(info.channels, 6);
		cr_assert_eq(info.channel_layout, i == 0 ? 0x60f : 0x3f);
		cr_assert(memcmp(info.speakers, i == 0 ? vorbis : wave, sizeof(wave)) == 0);
		free_blob(&file);
	}
	sdec_pool_close(&decoder);
}

Test(library_sound, tags)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(ALBUM);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_request request = { .size = sizeof(request), .flags = SDEC_HEADER_ONLY };
	struct heard all = listen_to(decoder, &input, NULL);
	struct heard header = listen_to(decoder, &input, &request);

	cr_assert_eq(header.status, SDEC_OK);
	cr_assert_eq(header.size, 0);
	cr_assert_eq(header.info.sample_frames, all.frames);
	cr_assert_gt(header.tags, 1);
	cr_assert_eq(header.tags, all.tags);
	cr_assert_str_eq(header.tag_text, all.tag_text);
	cr_assert_not_null(strstr(header.tag_text, "album_artist="));
	cr_assert_str_eq(sdec_tag_name(SDEC_TAG_ENCODER), "encoder");
	cr_assert_str_eq(sdec_tag_name((enum sdec_tag)99), "unknown");
	free(all.data);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* A FLAC file that a tagger has put an ID3 tag before looks like MP3. */
Test(library_sound, behind_a_tag)
{
	static const uint8_t tag[110] = { 'I', 'D', '3', 4, 0, 0, 0, 0, 0, 100 };
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob("samples/flac/tone-cover.flac");
	struct sdec_info info = { .size = sizeof(info) };
	uint8_t *tagged = calloc(1, sizeof(tag) + file.size);

	cr_assert_not_null(tagged);
	memcpy(tagged, tag, sizeof(tag));
	memcpy(tagged + sizeof(tag), file.data, file.size);
	struct sdec_input input = memory_input(tagged, sizeof(tag) + file.size);
	cr_assert_eq(sdec_probe(decoder, &input, NULL, &info, NULL), SDEC_OK);
	cr_assert_str_eq(info.format, "flac");
	FILE *stream = tmpfile();
	cr_assert_not_null(stream);
	cr_assert_eq(fwrite(tagged, 1, input.data_size, stream), input.data_size);
	rewind(stream);
	input = fd_input(fileno(stream));
	cr_assert_eq(sdec_probe(decoder, &input, NULL, &info, NULL), SDEC_OK);
	cr_assert_str_eq(info.format, "flac");
	cr_assert_eq(fclose(stream), 0);
	free(tagged);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

Test(library_sound, a_cover)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob sound = read_blob("samples/flac/tone-cover.flac");
	struct blob wanted = command_line("-p rgba --cover samples/flac/tone-cover.flac");
	struct sdec_input input = memory_input(sound.data, sound.size);
	struct sdec_limits limits = { .size = sizeof(limits) };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits, .pixel_format = SDEC_RGBA };
	struct sdec_bytes file = { .size = sizeof(file) };
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_result result = { .size = sizeof(result) };

	cr_assert_eq(sdec_decode_cover(decoder, &input, NULL, &file, &result), SDEC_OK, "%s", result.reason);
	struct sdec_input cover = memory_input(file.data, file.data_size);
	cr_assert_eq(sdec_decode_image(decoder, &cover, &request, &image, NULL), SDEC_OK);
	cr_assert_eq(image.stride * image.height, wanted.size);
	cr_assert(memcmp(image.pixels, wanted.data, wanted.size) == 0);
	/* It has a limit of its own. */
	limits.max_cover = file.data_size - 1;
	sdec_image_free(&image);
	sdec_bytes_free(&file);
	cr_assert_eq(sdec_decode_cover(decoder, &input, &request, &file, &result), SDEC_LIMIT);
	cr_assert_eq(result.limit, SDEC_LIMIT_COVER);
	cr_assert_null(file.data);
	request.flags = SDEC_HEADER_ONLY;
	cr_assert_eq(sdec_decode_cover(decoder, &input, &request, &file, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_cover(decoder, &input, NULL, NULL, NULL), SDEC_USAGE);
	free_blob(&wanted);
	free_blob(&sound);
	sound = read_blob(TONE);
	input = memory_input(sound.data, sound.size);
	cr_assert_eq(sdec_decode_cover(decoder, &input, NULL, &file, &result), SDEC_UNSUPPORTED);
	cr_assert_str_eq(result.reason, "has no cover picture");
	free_blob(&sound);
	sound = read_blob("samples/photograph.jpg");
	input = memory_input(sound.data, sound.size);
	cr_assert_eq(sdec_decode_cover(decoder, &input, NULL, &file, NULL), SDEC_WRONG_KIND);
	free_blob(&sound);
	sdec_pool_close(&decoder);
}

/* ---- memory of the caller's ---- */

Test(library_sound, into_the_callers_memory)
{
	enum { SIZE = 1600, GUARD = 16 };
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(TONE);
	struct blob wanted = command_line("-t raw " TONE);
	struct sdec_input input = memory_input(file.data, file.size);
	uint8_t memory[SIZE + GUARD];

	cr_assert_eq(wanted.size, SIZE);
	static const size_t sizes[] = { SIZE + GUARD, SIZE, SIZE - 1, SIZE - 4, 7, 0 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct sdec_audio audio = { .size = sizeof(audio) };
		struct sdec_result result = { .size = sizeof(result) };
		size_t fits = sizes[i] < SIZE ? sizes[i] : SIZE;
		memset(memory, 0xa5, sizeof(memory));
		cr_assert_eq(sdec_decode_audio_into(decoder, &input, NULL, memory, sizes[i], &audio, &result),
		             fits == SIZE ? SDEC_OK : SDEC_TOO_SMALL);
		cr_assert_eq(audio.samples, memory);
		cr_assert_eq(audio.sample_frames, fits / 4);
		cr_assert_eq(audio.samples_size, fits / 4 * 4);
		cr_assert_eq(audio.rate, 8000);
		cr_assert(memcmp(memory, wanted.data, fits) == 0);
		for (size_t j = fits; j < sizeof(memory); j++)
			cr_assert_eq(memory[j], 0xa5, "%zu of %zu", j, fits);
		sdec_audio_free(&audio); /* leaves them alone */
	}
	free_blob(&wanted);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* ---- damage ---- */

Test(library_sound, damaged_parts)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob("samples/mp3/l3-si.bit");
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_request request = { .size = sizeof(request) };

	memset(file.data + file.size / 2, 0, 300); /* more than a frame */
	struct heard heard = listen_to(decoder, &input, NULL);
	cr_assert_eq(heard.status, SDEC_OK, "%s", heard.result.reason);
	cr_assert_gt(heard.losses, 0);
	cr_assert_eq(heard.result.losses, heard.losses);
	free(heard.data);
	request.flags = SDEC_STRICT;
	heard = listen_to(decoder, &input, &request);
	cr_assert_eq(heard.status, SDEC_MALFORMED);
	cr_assert_gt(heard.frames, 0); /* what came before is good */
	free(heard.data);
	request.flags = SDEC_STRICT | SDEC_PARTIAL;
	heard = listen_to(decoder, &input, &request);
	cr_assert_eq(heard.status, SDEC_OK);
	cr_assert_neq(heard.result.damage, 0);
	cr_assert_eq(heard.result.losses, 0);
	free(heard.data);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* A damaged frame was replaced by silence. */
Test(library_sound, lossless_sound_is_whole_or_refused)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob("samples/flac/libFLAC.flac");
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_request request = { .size = sizeof(request), .flags = SDEC_PARTIAL };

	file.data[file.size / 2] ^= 0x55;
	struct heard heard = listen_to(decoder, &input, NULL);
	cr_assert_eq(heard.status, SDEC_MALFORMED);
	cr_assert_eq(heard.losses, 0);
	free(heard.data);
	heard = listen_to(decoder, &input, &request);
	cr_assert_eq(heard.status, SDEC_OK);
	cr_assert_neq(heard.result.damage, 0);
	cr_assert_gt(heard.frames, 0);
	free(heard.data);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

Test(library_sound, limits)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(TONE);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_limits limits = { .size = sizeof(limits), .max_output = 1599 };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits };
	struct sdec_audio audio = { .size = sizeof(audio) };
	struct sdec_result result = { .size = sizeof(result) };

	cr_assert_eq(sdec_decode_audio(decoder, &input, &request, &audio, &result), SDEC_LIMIT);
	cr_assert_eq(result.limit, SDEC_LIMIT_OUTPUT);
	cr_assert_null(audio.samples);
	cr_assert_eq(audio.allocated, 0);
	limits.max_output = 1600;
	cr_assert_eq(sdec_decode_audio(decoder, &input, &request, &audio, &result), SDEC_OK);
	sdec_audio_free(&audio);
	limits.max_input = file.size - 1;
	cr_assert_eq(sdec_decode_audio(decoder, &input, &request, &audio, &result), SDEC_LIMIT);
	cr_assert_eq(result.limit, SDEC_LIMIT_INPUT);
	free_blob(&file);
	sdec_pool_close(&decoder);
}
