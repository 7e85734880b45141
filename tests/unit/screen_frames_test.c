/* SPDX-License-Identifier: MIT */
/* Frames and pages on a screen that is memory: when each is there, and what ends them. */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/devices/device.h"
#include "broker/wire/wire.h"

enum { WIDTH = 3, HEIGHT = 2, BYTES = 4, PIXELS = WIDTH * HEIGHT };

static uint8_t memory[PIXELS * BYTES];

static struct outcome begin(void *context, struct screen *screen)
{
	(void)context;
	*screen = (struct screen){
		.memory = memory,
		.size = sizeof(memory),
		.stride = WIDTH * BYTES,
		.width = WIDTH,
		.height = HEIGHT,
		.bits = 32,
		.red = { 16, 8 },
		.green = { 8, 8 },
		.blue = { 0, 8 },
	};
	return outcome_ok();
}

static const struct screen_driver driver = { .begin = begin };

/* A picture whose frames are of one gray each. */
struct show {
	struct device device;
	struct sink sink;
	struct wire_image image;
	int drawn;
};

static void start(struct show *show, uint32_t seconds, bool keys)
{
	*show = (struct show){
		.device = { .kind = DEVICE_FRAMEBUFFER, .driver = &driver, .console = { .fd = -1, .keys = keys } },
		.image = { .width = WIDTH, .height = HEIGHT, .pixel_format = WIRE_BGRA },
	};
	/* It is not asked what kind of terminal it is. */
	show->device.console.silent = 1;
	memset(memory, 0, sizeof(memory));
	frames_start(&show->device.frames, &show->device.console, seconds);
	sink_init(&show->sink, device_sink_format(DEVICE_FRAMEBUFFER), WIRE_FORMAT_BIT(WIRE_BGRA), -1);
	show->sink.device = &show->device;
}

static void draw(struct show *show, uint8_t gray, bool page, uint32_t delay)
{
	size_t room = 0;
	struct outcome outcome =
	        show->drawn++ == 0 ? sink_image(&show->sink, &show->image) : sink_next(&show->sink, &show->image);

	cr_assert_eq(outcome.status, SDEC_OK);
	frames_next(&show->device.frames, page, delay);
	uint8_t *place = sink_reserve(&show->sink, &room);
	cr_assert(room >= PIXELS * BYTES);
	memset(place, gray, PIXELS * BYTES);
	for (int i = 0; i < PIXELS; i++)
		place[i * BYTES + 3] = 255;
	cr_assert_eq(sink_commit(&show->sink, PIXELS * BYTES).status, SDEC_OK);
}

/* How many milliseconds it took until the frame was there, or would not come. */
static int64_t bring(struct show *show)
{
	int64_t before = console_clock();

	cr_assert_eq(sink_end(&show->sink, false).status, SDEC_OK);
	return console_clock() - before;
}

static void expect_gray(uint8_t gray)
{
	for (int i = 0; i < PIXELS; i++)
		for (int channel = 0; channel < 3; channel++)
			cr_assert_eq(memory[i * BYTES + channel], gray, "%d instead of %d", memory[i * BYTES], gray);
}

static void end(struct show *show)
{
	sink_release(&show->sink);
	frames_release(&show->device.frames);
}

static void pass(int milliseconds)
{
	const struct timespec time = { .tv_nsec = milliseconds * 1000000L };

	(void)nanosleep(&time, NULL);
}

/* A keyboard on standard input; returns where its keys come from. */
static int make_keyboard(void)
{
	int pipe_ends[2];

	cr_assert_eq(pipe(pipe_ends), 0);
	cr_assert_eq(dup2(pipe_ends[0], STDIN_FILENO), STDIN_FILENO);
	return pipe_ends[1];
}

Test(screen_frames, each_is_there_when_it_is_due)
{
	struct show show;

	start(&show, DEVICE_SHOW_DEFAULT, false);
	draw(&show, 10, false, 150);
	expect_gray(10); /* as its rows come */
	cr_expect(bring(&show) < 100);
	draw(&show, 20, false, 100);
	expect_gray(10);
	int64_t took = bring(&show);
	cr_expect(took >= 140 && took < 1000, "%ld ms", (long)took);
	expect_gray(20);
	cr_expect_eq(show.device.frames.due - show.device.frames.begun, 250);
	cr_expect(!show.device.frames.over);
	end(&show);
}

Test(screen_frames, what_takes_time_between_them_adds_nothing)
{
	struct show show;

	start(&show, DEVICE_SHOW_DEFAULT, false);
	for (int i = 0; i < 12; i++) {
		draw(&show, (uint8_t)i, false, 40);
		pass(20);
		(void)bring(&show);
		expect_gray((uint8_t)i);
	}
	/* Unless the machine stood still for longer than is made up for. */
	cr_expect(show.device.frames.due - show.device.frames.begun >= 12 * 40);
	cr_expect(show.device.frames.due - show.device.frames.begun < 12 * 40 + 240);
	end(&show);
}

Test(screen_frames, who_is_too_late_does_not_hurry)
{
	struct show show;

	start(&show, DEVICE_SHOW_DEFAULT, false);
	draw(&show, 10, false, 20);
	(void)bring(&show);
	draw(&show, 20, false, 200);
	pass(400);
	cr_expect(bring(&show) < 100);
	cr_expect(show.device.frames.due > console_clock() + 100);
	end(&show);
}

Test(screen_frames, no_delay_is_that_of_browsers)
{
	struct show show;

	start(&show, DEVICE_SHOW_DEFAULT, false);
	draw(&show, 10, false, 0);
	(void)bring(&show);
	cr_expect_eq(show.device.frames.due - show.device.frames.begun, 100);
	frames_next(&show.device.frames, false, 10);
	cr_expect_eq(show.device.frames.delay, 100);
	frames_next(&show.device.frames, false, 11);
	cr_expect_eq(show.device.frames.delay, 11);
	end(&show);
}

Test(screen_frames, a_key_ends_an_animation)
{
	struct show show;
	int keys = make_keyboard();

	start(&show, DEVICE_SHOW_DEFAULT, true);
	draw(&show, 10, false, 30000);
	(void)bring(&show);
	draw(&show, 20, false, 30000);
	cr_assert_eq(write(keys, " ", 1), 1);
	cr_expect(bring(&show) < 10000);
	expect_gray(10);
	cr_expect(show.device.frames.over);
	cr_expect(!frames_again(&show.device.frames));
	frames_linger(&show.device.frames, &show.device.console); /* is over at once */
	end(&show);
}

Test(screen_frames, a_key_turns_a_page)
{
	struct show show;
	int keys = make_keyboard();

	start(&show, DEVICE_SHOW_DEFAULT, true);
	draw(&show, 10, true, 0);
	(void)bring(&show);
	draw(&show, 20, true, 0);
	cr_assert_eq(write(keys, " ", 1), 1);
	cr_expect(bring(&show) < 10000);
	expect_gray(20);
	cr_expect(!show.device.frames.over);
	end(&show);
}

/* A document of very many pages held a screen for days. */
Test(screen_frames, pages_that_nobody_turns_are_not_all_shown)
{
	struct show show;
	int shown = 0;

	start(&show, DEVICE_SHOW_DEFAULT, false);
	show.device.frames.time = 0; /* instead of ten seconds each */
	while (shown < 20 && !show.device.frames.over) {
		draw(&show, (uint8_t)++shown, true, 0);
		(void)bring(&show);
	}
	expect_gray(10);
	cr_expect_eq(shown, 11); /* the last was drawn, and not brought */
	end(&show);
}

Test(screen_frames, pages_have_the_time_that_was_asked_for_each)
{
	struct show show;

	start(&show, 1, false);
	draw(&show, 10, true, 0);
	(void)bring(&show);
	draw(&show, 20, true, 0);
	cr_expect(bring(&show) >= 990);
	expect_gray(20);
	cr_expect_eq(frames_patience(&show.device.frames, &show.device.console), 1);
	end(&show);
}

Test(screen_frames, the_time_that_was_asked_for_ends_an_animation)
{
	struct show show;

	start(&show, 1, false);
	draw(&show, 10, false, 700);
	(void)bring(&show);
	draw(&show, 20, false, 700);
	(void)bring(&show);
	expect_gray(20);
	draw(&show, 30, false, 700);
	int64_t took = bring(&show);
	cr_expect(took < 600, "%ld ms", (long)took);
	expect_gray(20);
	cr_expect(show.device.frames.over);
	end(&show);
	start(&show, 0, false);
	draw(&show, 10, false, 700);
	(void)bring(&show);
	expect_gray(10);
	draw(&show, 20, false, 700);
	cr_expect(bring(&show) < 500);
	expect_gray(10);
	end(&show);
}

Test(screen_frames, loops_go_on_as_long_as_there_is_time)
{
	const struct console none = { .fd = -1 }, keyboard = { .fd = -1, .keys = true };
	struct frames frames = { .shown = 0 };

	frames_start(&frames, &none, DEVICE_SHOW_DEFAULT);
	frames.begun = console_clock() - 9000;
	cr_expect(frames_again(&frames));
	frames.begun -= 1000;
	cr_expect(!frames_again(&frames), "10 seconds are over");
	frames_start(&frames, &keyboard, DEVICE_SHOW_DEFAULT);
	frames.begun = console_clock() - 1000000;
	cr_expect(frames_again(&frames), "until a key is pressed");
	frames_start(&frames, &keyboard, 3);
	frames.begun = console_clock() - 2000;
	cr_expect(frames_again(&frames));
	frames.begun -= 1000;
	cr_expect(!frames_again(&frames));
}

Test(screen_frames, the_last_one_stays_until_the_time_is_over)
{
	const struct console none = { .fd = -1 };
	int64_t now = console_clock();
	struct frames frames = { .time = 2000, .shown = 3, .begun = now - 1500, .due = now + 5000 };

	frames_linger(&frames, &none);
	cr_expect(console_clock() - now >= 490);
	cr_expect(console_clock() - now < 3000);
	cr_expect_eq(frames_patience(&frames, &none), 0);
	/* A still has its time from when it is complete. */
	now = console_clock();
	frames = (struct frames){ .time = 1000, .shown = 1, .begun = now - 1500, .due = now };
	cr_expect_eq(frames_patience(&frames, &none), 1);
	frames_linger(&frames, &none);
	cr_expect(console_clock() - now >= 990);
}

Test(screen_frames, the_hidden_screen_follows_the_other)
{
	uint8_t pixels[6 * 4 * 4] = { 0 };
	const struct screen_field field = { 0, 8 };
	struct screen small = { .memory = pixels, .size = 16, .stride = 8, .width = 2, .height = 2, .bits = 32 };
	struct screen large = {
		.memory = pixels, .size = sizeof(pixels), .stride = 24, .width = 4, .height = 3, .bits = 32
	};
	struct frames frames = { .shown = 0 };

	small.red = small.green = small.blue = large.red = large.green = large.blue = field;
	large.x_offset = large.y_offset = 1;
	cr_expect_eq(frames_canvas(&frames, &small), &small);
	frames.shown = 1;
	for (int i = 0; i < 2; i++) {
		const struct screen *like = i == 0 ? &small : &large;
		const struct screen *canvas = frames_canvas(&frames, like);
		cr_assert(canvas && canvas != like && canvas->memory != pixels && screen_is_sound(canvas));
		cr_expect(canvas->width == like->width && canvas->height == like->height);
		cr_expect(canvas->x_offset == 0 && canvas->y_offset == 0);
		for (size_t at = 0; at < canvas->size; at++)
			canvas->memory[at] = (uint8_t)(at + 1);
		memset(pixels, 0, sizeof(pixels));
		screen_copy(like, canvas);
		for (size_t at = 0; at < sizeof(pixels); at++) {
			size_t row = at / like->stride, column = at % like->stride / 4;
			bool seen = row >= like->y_offset && row < like->y_offset + like->height &&
			            column >= like->x_offset && column < like->x_offset + like->width;
			size_t from = (row - like->y_offset) * canvas->stride + (column - like->x_offset) * 4 + at % 4;
			cr_assert_eq(pixels[at], seen ? (uint8_t)(from + 1) : 0, "%zu", at);
		}
	}
	frames_release(&frames);
}
