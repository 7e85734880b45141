/* SPDX-License-Identifier: MIT */
/* The kernel's framebuffers. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drivers.h"

struct framebuffer {
	int fd;
	void *mapping; /* NULL: none */
	size_t mapped; /* bytes */
	size_t first;  /* byte of the mapping with which the framebuffer starts */
};

static struct outcome failed(const char *reason)
{
	return outcome_of_errno(SDEC_IO, reason, errno);
}

static struct screen_field field_of(const struct fb_bitfield *bits)
{
	return (struct screen_field){ .offset = bits->offset, .length = bits->length };
}

/* Reads how the screen is laid out: it is panned whenever the text on it moves. */
static struct outcome describe(void *context, struct screen *screen)
{
	struct framebuffer *framebuffer = context;
	struct fb_var_screeninfo visible;
	struct fb_fix_screeninfo fixed;

	if (ioctl(framebuffer->fd, FBIOGET_VSCREENINFO, &visible) != 0 ||
	    ioctl(framebuffer->fd, FBIOGET_FSCREENINFO, &fixed) != 0)
		return failed("cannot ask the framebuffer for its layout");
	if (fixed.type != FB_TYPE_PACKED_PIXELS || fixed.visual != FB_VISUAL_TRUECOLOR || visible.nonstd != 0 ||
	    visible.red.msb_right || visible.green.msb_right || visible.blue.msb_right)
		return outcome_of(SDEC_UNSUPPORTED, "the framebuffer has no pixels of red, green and blue");
	*screen = (struct screen){
		.memory = framebuffer->mapping ? (uint8_t *)framebuffer->mapping + framebuffer->first : NULL,
		.size = fixed.smem_len,
		.stride = fixed.line_length,
		.width = visible.xres,
		.height = visible.yres,
		.x_offset = visible.xoffset,
		.y_offset = visible.yoffset,
		.bits = visible.bits_per_pixel,
		.red = field_of(&visible.red),
		.green = field_of(&visible.green),
		.blue = field_of(&visible.blue),
		.alpha = field_of(&visible.transp),
	};
	/* What a picture is drawn on is never more than what was mapped. */
	if (framebuffer->mapping && screen->size > framebuffer->mapped - framebuffer->first)
		screen->size = framebuffer->mapped - framebuffer->first;
	if (!screen_is_sound(screen))
		return outcome_of(SDEC_UNSUPPORTED,
		                  "the framebuffer has neither 16, 24 nor 32 bits a pixel, or no sense");
	return outcome_ok();
}

static struct outcome map(struct framebuffer *framebuffer, struct screen *screen)
{
	struct fb_fix_screeninfo fixed;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (ioctl(framebuffer->fd, FBIOGET_FSCREENINFO, &fixed) != 0)
		return failed("not a framebuffer");
	framebuffer->first = fixed.smem_start & (page - 1);
	framebuffer->mapped = framebuffer->first + fixed.smem_len;
	void *mapping = mmap(NULL, framebuffer->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, framebuffer->fd, 0);
	if (mapping == MAP_FAILED)
		return failed("cannot map the framebuffer");
	framebuffer->mapping = mapping;
	return describe(framebuffer, screen);
}

static struct outcome open_framebuffer(const char *path, struct screen *screen, void **context)
{
	struct framebuffer *framebuffer = calloc(1, sizeof(*framebuffer));

	*context = framebuffer;
	if (!framebuffer)
		return failed("no memory for the framebuffer");
	framebuffer->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (framebuffer->fd < 0)
		return failed("cannot open the framebuffer");
	return map(framebuffer, screen);
}

static void close_framebuffer(void *context)
{
	struct framebuffer *framebuffer = context;

	if (framebuffer->mapping)
		(void)munmap(framebuffer->mapping, framebuffer->mapped);
	if (framebuffer->fd >= 0)
		(void)close(framebuffer->fd);
	free(framebuffer);
}

const struct screen_driver framebuffer_driver = {
	.open = open_framebuffer,
	.begin = describe,
	.close = close_framebuffer,
};
