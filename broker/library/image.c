/* SPDX-License-Identifier: MIT */
/* The calls that decode a whole picture, or look at its header. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../structs.h"
#include "call.h"

/* Large pictures are mapped, in huge pages where there are some: first touch is what fresh memory costs. */
#define MAPPED_LEAST ((size_t)2 << 20)
#define FROM_MALLOC ((size_t)1) /* safe_image.allocated, where it is not the length of a mapping */

/* What a call has to do with the picture. */
struct painting {
	struct safe_image image;
	void *pixels; /* the caller's; NULL: to be allocated */
	size_t pixels_size;
	size_t stride;
};

static void *allocate(size_t size, size_t *allocated)
{
	void *memory = NULL;

	*allocated = FROM_MALLOC;
	if (size < MAPPED_LEAST)
		return malloc(size);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	(void)madvise(memory, size, MADV_HUGEPAGE); /* only a matter of speed */
	*allocated = size;
	return memory;
}

void safe_image_free(struct safe_image *image)
{
	if (!image)
		return;
	if (image->allocated == FROM_MALLOC)
		free(image->pixels);
	else if (image->allocated > 0)
		(void)munmap(image->pixels, image->allocated);
	image->pixels = NULL;
	image->allocated = 0;
}

static struct safe_outcome paint_on(struct call *call)
{
	struct painting *painting = call->driver;
	struct safe_image *image = &painting->image;
	size_t row_bytes = call_row_bytes(call);

	image->width = call->image.width;
	image->height = call->image.height;
	image->pixel_format = call->request.pixel_format;
	image->orientation = call->image.orientation;
	image->stride = painting->pixels ? painting->stride : row_bytes;
	if (painting->pixels && !call_fits(call, painting->pixels_size, painting->stride))
		return outcome_of(SAFE_USAGE, "the picture does not fit the memory");
	/* The reader and fits_output() have limited the product. */
	image->pixels = painting->pixels ? painting->pixels : allocate(row_bytes * image->height, &image->allocated);
	if (!image->pixels ||
	    !canvas_init(&call->canvas, image->width, (enum wire_pixel_format)call->image.pixel_format,
	                 (enum wire_pixel_format)image->pixel_format, image->pixels, image->stride, image->height))
		return outcome_of_errno(SAFE_IO, "no memory for the picture", ENOMEM);
	return outcome_ok();
}

static struct safe_outcome finish(struct call *call)
{
	if (call->damage != WIRE_OK)
		call->rows_missing = canvas_fill(&call->canvas, call->image.height);
	return outcome_ok();
}

static enum safe_status decode(struct safe_decoder *decoder, const struct safe_input *input,
                               const struct safe_request *request, struct painting *painting, bool has_place,
                               struct safe_image *image, struct safe_result *result)
{
	struct call call;
	struct safe_outcome outcome = call_init(&call, decoder, input, request, CALL_WHOLE);

	call.driver = painting;
	call.on_image = paint_on;
	call.on_end = finish;
	if (outcome.status == SAFE_OK && !has_place)
		outcome = outcome_of(SAFE_USAGE, "there is no place for the picture");
	outcome = call_complete(&call, outcome, result);
	if (outcome.status != SAFE_OK) {
		safe_image_free(&painting->image);
		painting->image.pixels = NULL;
	}
	structs_give(image, &painting->image, sizeof(painting->image));
	return outcome.status;
}

enum safe_status safe_decode_image(struct safe_decoder *decoder, const struct safe_input *input,
                                   const struct safe_request *request, struct safe_image *image,
                                   struct safe_result *result)
{
	struct painting painting = { .pixels = NULL };

	/* Where the caller has no place for them, nobody would free the pixels. */
	bool has_place = image && image->size >= offsetof(struct safe_image, allocated) + sizeof(image->allocated);

	return decode(decoder, input, request, &painting, has_place, image, result);
}

enum safe_status safe_decode_image_into(struct safe_decoder *decoder, const struct safe_input *input,
                                        const struct safe_request *request, void *pixels, size_t pixels_size,
                                        size_t stride, struct safe_image *image, struct safe_result *result)
{
	struct painting painting = { .pixels = pixels, .pixels_size = pixels_size, .stride = stride };

	return decode(decoder, input, request, &painting, pixels != NULL, image, result);
}

enum safe_status safe_probe(struct safe_decoder *decoder, const struct safe_input *input,
                            const struct safe_request *request, struct safe_info *info, struct safe_result *result)
{
	struct call call;
	struct safe_outcome outcome = call_init(&call, decoder, input, request, CALL_PROBE);

	outcome = call_complete(&call, outcome, result);
	structs_give(info, &call.info, sizeof(call.info));
	return outcome.status;
}
