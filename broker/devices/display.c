/* SPDX-License-Identifier: MIT */
/* Screens that have no framebuffer: DRM with a dumb buffer, by libdrm, as a module. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "device.h"

extern const struct screen_driver safe_decode_screen;

enum { BITS = 32, DEPTH = 24 };

struct display {
	int fd;
	uint32_t connector, controller;
	drmModeModeInfo mode;
	drmModeCrtcPtr before; /* what was shown; NULL: nothing that could be put back */
	uint32_t handle, framebuffer;
	void *mapping; /* NULL: none */
	size_t mapped;
	volatile sig_atomic_t shown;
};

static struct outcome failed(const char *reason)
{
	return outcome_of_errno(SDEC_IO, reason, errno);
}

/* A controller that can drive the connector: the one that does already, or the first that may. */
static uint32_t choose_controller(int fd, const drmModeRes *resources, const drmModeConnector *connector)
{
	drmModeEncoderPtr encoder = drmModeGetEncoder(fd, connector->encoder_id);
	uint32_t controller = encoder ? encoder->crtc_id : 0;

	drmModeFreeEncoder(encoder);
	for (int i = 0; i < connector->count_encoders && controller == 0; i++) {
		encoder = drmModeGetEncoder(fd, connector->encoders[i]);
		for (int j = 0; encoder && j < resources->count_crtcs && j < 32 && controller == 0; j++)
			if (encoder->possible_crtcs & UINT32_C(1) << j)
				controller = resources->crtcs[j];
		drmModeFreeEncoder(encoder);
	}
	return controller;
}

/* The mode that the screen prefers, or its first. */
static const drmModeModeInfo *choose_mode(const drmModeConnector *connector)
{
	for (int i = 0; i < connector->count_modes; i++)
		if (connector->modes[i].type & DRM_MODE_TYPE_PREFERRED)
			return &connector->modes[i];
	return connector->modes;
}

static bool take_connector(struct display *display, const drmModeRes *resources, uint32_t id)
{
	drmModeConnectorPtr connector = drmModeGetConnector(display->fd, id);
	bool usable = connector && connector->connection == DRM_MODE_CONNECTED && connector->count_modes > 0;

	if (usable) {
		display->connector = id;
		display->mode = *choose_mode(connector);
		display->controller = choose_controller(display->fd, resources, connector);
	}
	drmModeFreeConnector(connector);
	return usable && display->controller != 0;
}

static struct outcome find_screen(struct display *display)
{
	drmModeResPtr resources = drmModeGetResources(display->fd);
	bool found = false;

	if (!resources)
		return failed("this is no display");
	for (int i = 0; i < resources->count_connectors && !found; i++)
		found = take_connector(display, resources, resources->connectors[i]);
	drmModeFreeResources(resources);
	if (!found)
		return outcome_of(SDEC_IO, "no screen is connected to the display");
	display->before = drmModeGetCrtc(display->fd, display->controller);
	return outcome_ok();
}

static struct outcome make_buffer(struct display *display, struct screen *screen)
{
	uint32_t stride = 0;
	uint64_t size = 0, offset = 0;

	if (drmModeCreateDumbBuffer(display->fd, display->mode.hdisplay, display->mode.vdisplay, BITS, 0,
	                            &display->handle, &stride, &size) != 0 ||
	    drmModeAddFB(display->fd, display->mode.hdisplay, display->mode.vdisplay, DEPTH, BITS, stride,
	                 display->handle, &display->framebuffer) != 0 ||
	    drmModeMapDumbBuffer(display->fd, display->handle, &offset) != 0)
		return failed("the display gives no buffer");
	void *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, display->fd, (off_t)offset);
	if (mapping == MAP_FAILED)
		return failed("cannot map the display's buffer");
	display->mapping = mapping;
	display->mapped = size;
	*screen = (struct screen){
		.memory = mapping,
		.size = size,
		.stride = stride,
		.width = display->mode.hdisplay,
		.height = display->mode.vdisplay,
		.bits = BITS,
		.red = { .offset = 16, .length = 8 },
		.green = { .offset = 8, .length = 8 },
		.blue = { .offset = 0, .length = 8 },
	};
	return screen_is_sound(screen) ? outcome_ok() : outcome_of(SDEC_UNSUPPORTED, "the display makes no sense");
}

static struct outcome open_display(const char *path, struct screen *screen, void **context)
{
	struct display *display = calloc(1, sizeof(*display));
	uint64_t dumb = 0;

	*context = display;
	if (!display)
		return failed("no memory for the display");
	display->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (display->fd < 0)
		return failed("cannot open the display");
	if (drmGetCap(display->fd, DRM_CAP_DUMB_BUFFER, &dumb) != 0 || dumb == 0)
		return outcome_of(SDEC_UNSUPPORTED, "this is no display that can be drawn on");
	/* The first to open it is its master without asking. */
	if (!drmIsMaster(display->fd) && drmSetMaster(display->fd) != 0)
		return failed("another program draws on the display");
	struct outcome outcome = find_screen(display);
	return outcome.status == SDEC_OK ? make_buffer(display, screen) : outcome;
}

static struct outcome begin(void *context, struct screen *screen)
{
	struct display *display = context;

	(void)screen; /* is as it was */
	if (display->shown)
		return outcome_ok();
	if (drmModeSetCrtc(display->fd, display->controller, display->framebuffer, 0, 0, &display->connector, 1,
	                   &display->mode) != 0)
		return failed("the display cannot be switched");
	display->shown = 1;
	return outcome_ok();
}

/* Where the screen does not look into the buffer by itself, it must be told; elsewhere the kernel has no such call. */
static struct outcome flush(void *context)
{
	struct display *display = context;
	drmModeClip whole = { .x2 = display->mode.hdisplay, .y2 = display->mode.vdisplay };
	int error = drmModeDirtyFB(display->fd, display->framebuffer, &whole, 1);

	if (error != 0 && error != -ENOSYS)
		return outcome_of_errno(SDEC_IO, "the display cannot be updated", -error);
	return outcome_ok();
}

static void restore(void *context)
{
	struct display *display = context;
	drmModeCrtcPtr before = display->before;

	/* The kernel's own console comes back by itself when the display is closed. */
	if (display->shown && before && before->mode_valid && before->buffer_id != 0)
		(void)drmModeSetCrtc(display->fd, before->crtc_id, before->buffer_id, before->x, before->y,
		                     &display->connector, 1, &before->mode);
	display->shown = 0;
}

static void close_display(void *context)
{
	struct display *display = context;

	if (display->mapping)
		(void)munmap(display->mapping, display->mapped);
	if (display->framebuffer != 0)
		(void)drmModeRmFB(display->fd, display->framebuffer);
	if (display->handle != 0)
		(void)drmModeDestroyDumbBuffer(display->fd, display->handle);
	drmModeFreeCrtc(display->before);
	if (display->fd >= 0)
		(void)close(display->fd);
	free(display);
}

__attribute__((visibility("default"))) const struct screen_driver safe_decode_screen = {
	.open = open_display,
	.begin = begin,
	.flush = flush,
	.restore = restore,
	.close = close_display,
};
