// SPDX-License-Identifier: GPL-2.0
/*
 * What 'undead exec' is measured against; each prints one number, in us:
 *
 * cancel exec ROUNDS RUNNER...  from the start of RUNNER to the first instruction
 *                               of its command, which is added: the median
 * cancel kill N                 kill(-pgid) of N processes in one group, and the
 *                               wait for each: nothing less will do
 * cancel undead N GUARANTEE     SIGKILL for the same N by undead_cancel(), until
 *                               undead_wait() says that all is ended and reaped
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/undead.h"

#define MAX_ARGS 16

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void fail(const char *what)
{
	fprintf(stderr, "cancel: %s: %m\n", what);
	exit(1);
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The command is this program, which writes when it began. */
static double start_once(char **argv, int out)
{
	double began, came;
	pid_t pid;

	began = now_us();
	pid = vfork();
	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || read(out, &came, sizeof(came)) != sizeof(came))
		fail(argv[0]);
	waitpid(pid, NULL, 0);
	return came - began;
}

static double start(int rounds, char **runner, char *self)
{
	char *argv[MAX_ARGS + 3], fd[16];
	double *took = calloc((size_t)rounds, sizeof(*took));
	int n = 0, p[2];

	while (*runner && n < MAX_ARGS)
		argv[n++] = *runner++;
	if (pipe(p))
		fail("pipe");
	snprintf(fd, sizeof(fd), "%d", p[1]);
	argv[n++] = self;
	argv[n++] = fd;
	argv[n] = NULL;
	for (int i = 0; i < rounds; i++)
		took[i] = start_once(argv, p[0]);
	qsort(took, (size_t)rounds, sizeof(*took), rising);
	return took[rounds / 2];
}

/* A leader and its N - 1 children, asleep; @ready gets a byte from each. */
static void crowd(int n, int ready)
{
	signal(SIGTERM, SIG_IGN);
	for (int i = 1; i < n; i++)
		if (!fork())
			break;
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void await_crowd(int n, int ready)
{
	char c;

	while (n--)
		if (read(ready, &c, 1) != 1)
			fail("crowd");
}

static double bare_kill(int n)
{
	double began;
	int p[2], left = n;
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe(p))
		fail("pipe");
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		crowd(n, p[1]);
	}
	await_crowd(n, p[0]);
	began = now_us();
	kill(-pid, SIGKILL);
	while (left && wait(NULL) > 0)
		left--;
	if (left)
		fail("wait");
	return now_us() - began;
}

static double cancel(int n, const char *guarantee, char *self)
{
	struct undead_options how = {
		.size = sizeof(how),
		.guarantee = UNDEAD_NONE,
	};
	char count[16], fd[16], *argv[] = { self, count, fd, NULL };
	struct undead *u;
	double began;
	int p[2], event;

	while (how.guarantee &&
	       strcmp(guarantee, undead_guarantee_name(how.guarantee)) != 0)
		how.guarantee--;
	if (pipe(p))
		fail("pipe");
	snprintf(count, sizeof(count), "%d", n);
	snprintf(fd, sizeof(fd), "%d", p[1]);
	errno = -undead_start(&u, argv, &how);
	if (errno)
		fail(guarantee);
	await_crowd(n, p[0]);
	began = now_us();
	undead_cancel(u, SIGKILL);
	do
		event = undead_wait(u, -1);
	while (event == UNDEAD_LEADER_ENDED);
	if (event != UNDEAD_ENDED || undead_report(u)->reaped != n)
		fail("undead_wait");
	return now_us() - began;
}

int main(int argc, char **argv)
{
	double now = now_us();
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 2)
		return write(atoi(what), &now, sizeof(now)) < 0;
	if (argc == 3 && atoi(what))
		crowd(atoi(what), atoi(argv[2]));
	if (argc > 3 && !strcmp(what, "exec"))
		now = start(atoi(argv[2]), argv + 3, argv[0]);
	else if (argc == 3 && !strcmp(what, "kill"))
		now = bare_kill(atoi(argv[2]));
	else if (argc == 4 && !strcmp(what, "undead"))
		now = cancel(atoi(argv[2]), argv[3], argv[0]);
	else
		return fprintf(stderr, "usage: see the top of cancel.c\n"), 2;
	printf("%.1f\n", now);
	return 0;
}
