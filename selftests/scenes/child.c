// SPDX-License-Identifier: GPL-2.0
/* A parent that does not wait (E), a leader that has exited (C), stops. */
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

static pid_t zombie(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(3);
	return dead_unreaped(pid);
}

SCENE(a_zombie) = {
	.name = "zombie",
	.verdict = "parent-does-not-wait",
	.status = 1,
	.says = { "1 zombie of its own", "threads-max", "RLIMIT_NPROC" },
	.never = "subreaper): the session",
	.make = zombie,
};

static pid_t blocked(void)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	return zombie();
}

SCENE(sigchld_blocked) = {
	.name = "sigchld-blocked",
	.verdict = "parent-does-not-wait",
	.status = 1,
	.says = { "SIGCHLD is blocked, and pending" },
	.make = blocked,
};

static pid_t stopped_parent(void)
{
	int to[2];
	pid_t pid, parent;

	if (pipe(to))
		return SCENE_BROKEN;
	parent = actor();
	if (!parent) {
		say(to, zombie());
		raise(SIGSTOP);
		_exit(1);
	}
	pid = hear(to);
	return in_state(parent, "T") ? pid : SCENE_BROKEN;
}

SCENE(a_stopped_parent) = {
	.name = "stopped-parent",
	.verdict = "parent-does-not-wait",
	.status = 1,
	.says = { "kill -CONT" },
	.make = stopped_parent,
};

static void *sleeper(void *arg)
{
	(void)arg;
	linger();
}

/* The leader ends by itself; its parent cannot know when: /proc says Z. */
static pid_t leader_gone(void)
{
	pthread_t thread;
	pid_t pid = actor();

	if (!pid) {
		pthread_create(&thread, NULL, sleeper, NULL);
		syscall(SYS_exit, 3);
	}
	return in_state(pid, "Z") ? pid : SCENE_BROKEN;
}

SCENE(a_leader_gone) = {
	.name = "leader-gone",
	.verdict = "leader-exited",
	.status = 1,
	.make = leader_gone,
};

static pid_t stopped(void)
{
	pid_t pid = actor();

	if (!pid) {
		raise(SIGSTOP);
		_exit(0);
	}
	return in_state(pid, "T") ? pid : SCENE_BROKEN;
}

SCENE(a_stopped) = {
	.name = "stopped",
	.verdict = "stopped",
	.status = 1,
	.make = stopped,
};

static pid_t asleep(void)
{
	pid_t pid = actor();

	if (!pid)
		linger();
	return in_state(pid, "S") ? pid : SCENE_BROKEN;
}

SCENE(an_asleep) = {
	.name = "asleep",
	.verdict = "healthy",
	.status = 0,
	.make = asleep,
};

static pid_t busy(void)
{
	pid_t pid = actor();

	while (!pid)
		;
	return in_state(pid, "R") ? pid : SCENE_BROKEN;
}

SCENE(a_busy) = {
	.name = "busy",
	.verdict = "healthy",
	.status = 0,
	.make = busy,
};

/* A name that would paint, break the line and close the bracket. */
static pid_t hostile(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_NAME, "\033[31m)\n x\xff");
		_exit(3);
	}
	return dead_unreaped(pid);
}

SCENE(a_hostile_name) = {
	.name = "hostile-name",
	.verdict = "parent-does-not-wait",
	.status = 1,
	.make = hostile,
};
