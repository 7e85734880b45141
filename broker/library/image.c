/* SPDX-License-Identifier: MIT */
/* The calls that decode a whole picture, or look at its header. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "broker/base/structs.h"
#include "canvas.h"
#include "describe.h"
#include "request.h"

/* Large pictures are mapped, in huge pages where there are some: first touch is what fresh memory costs. */
#define MAPPED_LEAST ((size_t)2 << 20)
#define FROM_MALLOC ((size_t)1) /* sdec_image.allocated, where it is not the length of a mapping */

/* What a call has to do with the picture. */
struct painting {
	struct request request;
	struct sdec_image image;
	struct canvas canvas;
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

void sdec_image_free(struct sdec_image *image)
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

static struct outcome paint_on(struct call *call)
{
	struct painting *painting = call->plan.context;
	const struct request *request = &painting->request;
	struct sdec_image *image = &painting->image;
	struct outcome outcome = request_describe_image(call);
	size_t row_bytes = request_row_bytes(request);

	if (outcome.status != SDEC_OK)
		return outcome;
	image->width = call->image.width;
	image->height = call->image.height;
	image->pixel_format = request->pixel_format;
	image->orientation = describe_orientation(&call->image);
	image->stride = painting->pixels ? painting->stride : row_bytes;
	if (painting->pixels && !request_fits(request, painting->pixels_size, painting->stride))
		return outcome_of(SDEC_TOO_SMALL, "the picture does not fit the memory");
	/* The reader and request_describe_image() have limited the product. */
	image->pixels = painting->pixels ? painting->pixels : allocate(row_bytes * image->height, &image->allocated);
	if (!image->pixels ||
	    !canvas_init(&painting->canvas, image->width, (enum wire_pixel_format)call->image.pixel_format,
	                 (enum wire_pixel_format)image->pixel_format, image->pixels, image->stride, image->height))
		return outcome_of_errno(SDEC_IO, "no memory for the picture", ENOMEM);
	return outcome_ok();
}

static void *reserve(struct call *call, size_t *size)
{
	struct painting *painting = call->plan.context;

	return canvas_reserve(&painting->canvas, size);
}

static struct outcome commit(struct call *call, size_t size)
{
	struct painting *painting = call->plan.context;

	canvas_commit(&painting->canvas, size);
	return outcome_ok();
}

static struct outcome finish(struct call *call, bool *more)
{
	struct painting *painting = call->plan.context;

	if (call->damage != WIRE_OK)
		painting->request.rows_missing += canvas_fill_some(&painting->canvas, more);
	return outcome_ok();
}

static const struct call_driver painter = {
	.image = paint_on,
	.reserve = reserve,
	.commit = commit,
	.finish = finish,
	.recognised = request_refuse_others,
};

static enum sdec_status decode(struct sdec_pool *decoder, const struct sdec_input *input,
                               const struct sdec_request *request, struct painting *painting, bool has_place,
                               struct sdec_image *image, struct sdec_result *result)
{
	struct outcome outcome =
	        request_begin(&painting->request, decoder, input, request, REQUEST_WHOLE, &painter, painting);

	if (outcome.status == SDEC_OK && !has_place)
		outcome = outcome_of(SDEC_USAGE, "there is no place for the picture");
	outcome = request_complete(&painting->request, outcome, result);
	canvas_free(&painting->canvas);
	if (outcome.status != SDEC_OK) {
		sdec_image_free(&painting->image);
		painting->image.pixels = NULL;
	}
	structs_give(image, &painting->image, sizeof(painting->image));
	return outcome.status;
}

enum sdec_status sdec_decode_image(struct sdec_pool *decoder, const struct sdec_input *input,
                                   const struct sdec_request *request, struct sdec_image *image,
                                   struct sdec_result *result)
{
	struct painting painting = { .pixels = NULL };

	/* Where the caller has no place for them, nobody would free the pixels. */
	bool has_place = image && image->size >= offsetof(struct sdec_image, allocated) + sizeof(image->allocated);

	return decode(decoder, input, request, &painting, has_place, image, result);
}

enum sdec_status sdec_decode_image_into(struct sdec_pool *decoder, const struct sdec_input *input,
                                        const struct sdec_request *request, void *pixels, size_t pixels_size,
                                        size_t stride, struct sdec_image *image, struct sdec_result *result)
{
	struct painting painting = { .pixels = pixels, .pixels_size = pixels_size, .stride = stride };

	return decode(decoder, input, request, &painting, pixels != NULL, image, result);
}

enum sdec_status sdec_probe(struct sdec_pool *decoder, const struct sdec_input *input,
                            const struct sdec_request *request, struct sdec_info *info, struct sdec_result *result)
{
	static const struct call_driver prober = { .info = request_describe };
	struct request probe;
	struct outcome outcome = request_begin(&probe, decoder, input, request, REQUEST_PROBE, &prober, NULL);

	outcome = request_complete(&probe, outcome, result);
	structs_give(info, &probe.info, sizeof(probe.info));
	return outcome.status;
}
