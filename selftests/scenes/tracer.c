// SPDX-License-Identifier: GPL-2.0
/* G: a tracer holds it; one that lets it run does not. */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

static pid_t stop(void)
{
	pid_t pid = actor();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGUSR1);
		_exit(0);
	}
	return waitpid(pid, NULL, 0) == pid ? pid : SCENE_BROKEN;
}

SCENE(a_stop) = {
	.name = "traced-stop",
	.verdict = "tracer-holds",
	.status = 1,
	.says = { "TracerPid" },
	.make = stop,
};

/* As rr leaves it: in PTRACE_EVENT_EXIT, killed. */
static pid_t exit_event(void)
{
	int status;
	pid_t pid = actor();

	if (!pid)
		linger();
	if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXIT) ||
	    kill(pid, SIGTERM))
		return SCENE_BROKEN;
	waitpid(pid, &status, 0);
	ptrace(PTRACE_CONT, pid, NULL, SIGTERM);
	if (waitpid(pid, &status, 0) != pid ||
	    status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8))
		return SCENE_BROKEN;
	return pid;
}

SCENE(an_exit_event) = {
	.name = "traced-exit-event",
	.verdict = "tracer-holds",
	.status = 1,
	.says = { "TracerPid" },
	.make = exit_event,
};

/* Ours by birth, and dead; its tracer, not we, does not wait. */
static pid_t traced_zombie(void)
{
	pid_t pid = actor(), tracer;
	int to[2];

	if (!pid)
		linger();
	if (pipe(to))
		return SCENE_BROKEN;
	tracer = actor();
	if (!tracer) {
		if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
			_exit(1);
		kill(pid, SIGKILL);
		say(to, dead_unreaped(pid));
		linger();
	}
	close(to[1]);
	return hear(to);
}

SCENE(a_traced_zombie) = {
	.name = "traced-zombie",
	.verdict = "tracer-holds",
	.status = 1,
	.says = { "the tracer comes first" },
	.make = traced_zombie,
};

/* strace -p: traced, and runs. */
static pid_t traced_running(void)
{
	pid_t pid = actor();

	if (!pid)
		linger();
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		return SCENE_BROKEN;
	return in_state(pid, "S") ? pid : SCENE_BROKEN;
}

SCENE(a_traced_running) = {
	.name = "traced-running",
	.verdict = "healthy",
	.status = 0,
	.make = traced_running,
};
