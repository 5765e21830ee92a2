// SPDX-License-Identifier: GPL-2.0
/* G, as it is met: a strace that does not go on, a gdb whose user is away. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "scene.h"

/* Many system calls, and whoever likes may trace it. */
static pid_t calling(void)
{
	pid_t pid = actor();

	if (pid)
		return pid;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	for (;;)
		sched_yield();
}

/* Its end of the pipe to the debugger stays open: no end of file there. */
static pid_t attach(const char *const *argv)
{
	int in[2], null;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC))
		return SCENE_BROKEN;
	pid = actor();
	if (pid)
		return pid;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(in[0], STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static pid_t held_by(const char *const *argv, pid_t pid, pid_t *tracer)
{
	*tracer = attach(argv);
	/* Gone at once: there is no such program. */
	while (*tracer > 0 && state_of(*tracer) != 'Z') {
		if (state_of(pid) == 't')
			return pid;
		sched_yield();
	}
	return SCENE_SKIP;
}

static pid_t strace(void)
{
	char number[16];
	const char *const argv[] = { "strace", "-o",   "/dev/null",
				     "-p",     number, NULL };
	pid_t tracer, pid = calling();

	snprintf(number, sizeof(number), "%d", pid);
	if (held_by(argv, pid, &tracer) <= 0)
		return SCENE_SKIP;
	kill(tracer, SIGSTOP);
	return in_state(tracer, "T") && in_state(pid, "t") ? pid : SCENE_BROKEN;
}

SCENE(a_strace) = {
	.name = "strace-stopped",
	.verdict = "tracer-holds",
	.status = 1,
	.says = { "TracerPid", "(strace)", "end it: kill " },
	.make = strace,
};

static pid_t gdb(void)
{
	char number[16];
	const char *const argv[] = { "gdb", "-q", "-nx", "-p", number, NULL };
	pid_t tracer, pid = calling();

	snprintf(number, sizeof(number), "%d", pid);
	return held_by(argv, pid, &tracer);
}

SCENE(a_gdb) = {
	.name = "gdb-attached",
	.verdict = "tracer-holds",
	.status = 1,
	.says = { "TracerPid", "(gdb)" },
	.make = gdb,
};
