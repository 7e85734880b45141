/* SPDX-License-Identifier: MIT */
/*
 * The first and only process of the virtual machine in which tests/devices/devices.py tries real devices: it does what
 * it is told over the second serial line, one command a line, and answers each with one line.
 *
 *     load FILE           insert a kernel module            ok | failed ERRNO
 *     start TERMINAL ARGUMENT...
 *                         run a program, its standard input on a terminal, its output on the serial line of the kernel
 *                                                           ok | failed ERRNO
 *     wait                wait for it                       exited CODE | killed SIGNAL
 *     signal NUMBER       send it a signal                  ok | failed ERRNO
 *     mode                of the console                    text | graphics | failed ERRNO
 *     echo                of the console                    on | off | failed ERRNO
 *     framebuffer         of /dev/fb0                       WIDTH HEIGHT BITS STRIDE XOFFSET YOFFSET | failed ERRNO
 *     say WORD            write it to the console           ok | failed ERRNO
 *     off                 switch the machine off
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/kd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define CONSOLE "/dev/tty1"
#define FRAMEBUFFER "/dev/fb0"

enum { ARGUMENTS_MAX = 32 };

static int line;
static pid_t running;

__attribute__((format(printf, 1, 2))) static void answer(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vdprintf(line, format, arguments);
	va_end(arguments);
	(void)dprintf(line, "\n");
}

/* The answer to what returned so. */
static void answer_result(long result)
{
	if (result < 0)
		answer("failed %d", errno);
	else
		answer("ok");
}

static void load(char **arguments)
{
	int fd = open(arguments[0], O_RDONLY | O_CLOEXEC);

	answer_result(fd < 0 ? -1 : syscall(SYS_finit_module, fd, "", 0));
	if (fd >= 0)
		(void)close(fd);
}

/* A session of its own, so that the terminal's keys reach it. */
static void run(char **arguments)
{
	int output = open("/dev/ttyS0", O_WRONLY | O_NOCTTY);
	int input = -1;

	if (setsid() < 0)
		_exit(126);
	input = open(arguments[0], O_RDWR);
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(126);
	(void)execv(arguments[1], arguments + 1);
	_exit(127);
}

static void start(char **arguments)
{
	running = fork();
	if (running == 0)
		run(arguments);
	answer_result(running);
}

static void wait_for_it(char **arguments)
{
	int status = 0;

	(void)arguments;
	/* Others are adopted. */
	while (waitpid(running, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		answer("exited %d", WEXITSTATUS(status));
	else
		answer("killed %d", WTERMSIG(status));
}

static void send_signal(char **arguments)
{
	answer_result(kill(running, atoi(arguments[0]))); /* NOLINT: the test writes it */
}

static void tell_mode(char **arguments)
{
	int fd = open(CONSOLE, O_RDWR | O_NOCTTY);
	int mode = 0;

	(void)arguments;
	if (fd < 0 || ioctl(fd, KDGETMODE, &mode) != 0)
		answer("failed %d", errno);
	else
		answer(mode == KD_TEXT ? "text" : "graphics");
	(void)close(fd);
}

static void tell_echo(char **arguments)
{
	int fd = open(CONSOLE, O_RDWR | O_NOCTTY);
	struct termios settings;

	(void)arguments;
	if (fd < 0 || tcgetattr(fd, &settings) != 0)
		answer("failed %d", errno);
	else
		answer(settings.c_lflag & ECHO ? "on" : "off");
	(void)close(fd);
}

static void tell_framebuffer(char **arguments)
{
	int fd = open(FRAMEBUFFER, O_RDWR);
	struct fb_var_screeninfo visible;
	struct fb_fix_screeninfo fixed;

	(void)arguments;
	if (fd < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &visible) != 0 || ioctl(fd, FBIOGET_FSCREENINFO, &fixed) != 0)
		answer("failed %d", errno);
	else
		answer("%u %u %u %u %u %u", visible.xres, visible.yres, visible.bits_per_pixel, fixed.line_length,
		       visible.xoffset, visible.yoffset);
	(void)close(fd);
}

static void say(char **arguments)
{
	int fd = open(CONSOLE, O_WRONLY | O_NOCTTY);

	answer_result(fd < 0 ? -1 : dprintf(fd, "%s\r\n", arguments[0]));
	(void)close(fd);
}

static void switch_off(char **arguments)
{
	(void)arguments;
	answer_result(reboot(RB_POWER_OFF));
}

static const struct {
	const char *name;
	void (*execute)(char **arguments);
	int arguments; /* at least */
} commands[] = {
	{ "load", load, 1 },
	{ "start", start, 2 },
	{ "wait", wait_for_it, 0 },
	{ "signal", send_signal, 1 },
	{ "mode", tell_mode, 0 },
	{ "echo", tell_echo, 0 },
	{ "framebuffer", tell_framebuffer, 0 },
	{ "say", say, 1 },
	{ "off", switch_off, 0 },
};

static void obey(char *text)
{
	char *words[ARGUMENTS_MAX + 2] = { NULL };
	char *rest = text;
	int count = 0;

	while (count <= ARGUMENTS_MAX && (words[count] = strtok_r(rest, " \n", &rest)) != NULL)
		count++;
	for (size_t i = 0; count > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(words[0], commands[i].name) == 0 && count > commands[i].arguments) {
			commands[i].execute(words + 1);
			return;
		}
	answer("what?");
}

int main(void)
{
	char text[1024];
	struct termios settings;

	if (mount("none", "/dev", "devtmpfs", 0, "") != 0 || mount("none", "/proc", "proc", 0, "") != 0)
		return 1;
	line = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line < 0 || tcgetattr(line, &settings) != 0)
		return 1;
	cfmakeraw(&settings);
	FILE *orders = fdopen(line, "r");
	if (tcsetattr(line, TCSANOW, &settings) != 0 || !orders)
		return 1;
	answer("ready");
	while (fgets(text, sizeof(text), orders))
		obey(text);
	return 1;
}
