// SPDX-License-Identifier: GPL-2.0
/*
 * F: process 1 of a container, or a subreaper, does not reap; and those whose
 * signal masks look as bad and that do: tini (sigtimedwait), systemd (signalfd).
 */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scene.h"

static void block_all(sigset_t *all)
{
	sigfillset(all);
	sigprocmask(SIG_BLOCK, all, NULL);
}

static void like_nobody(void)
{
	sigset_t all;

	block_all(&all);
	linger();
}

static void like_tini(void)
{
	const struct timespec second = { .tv_sec = 1 };
	sigset_t all;

	block_all(&all);
	for (;;) {
		sigtimedwait(&all, NULL, &second);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static void like_systemd(void)
{
	struct signalfd_siginfo si;
	sigset_t all;
	int fd;

	block_all(&all);
	fd = signalfd(-1, &all, SFD_CLOEXEC);
	while (read(fd, &si, sizeof(si)) > 0)
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
}

/* Whose parent, a child of the init, has ended, and then it. */
static void orphan(const int *to)
{
	if (fork())
		return;
	while (getppid() != 1)
		sched_yield();
	say(to, outer_pid());
	_exit(0);
}

/* One that is dead, and whose parent, which is no init, does not wait. */
static void zombie(const int *to)
{
	pid_t pid = fork();

	if (!pid) {
		say(to, outer_pid());
		_exit(0);
	}
	dead_unreaped(pid);
	linger();
}

/* The init of a pid name space, whose child does @deed. Return: whom that said. */
static pid_t container(void (*init)(void), void (*deed)(const int *),
		       pid_t *init_pid)
{
	int to[2];

	if (pipe(to) || unshare(CLONE_NEWPID))
		return SCENE_SKIP;
	*init_pid = actor();
	if (!*init_pid) {
		if (!fork()) {
			deed(to);
			_exit(0);
		}
		init();
		_exit(1);
	}
	return hear(to);
}

static pid_t unreaped(void)
{
	pid_t init, pid = container(like_nobody, orphan, &init);

	return in_state(pid, "Z") ? pid : SCENE_BROKEN;
}

SCENE(an_init_that_sleeps) = {
	.name = "init-does-not-reap",
	.needs = SCENE_ROOT,
	.verdict = "reaper-does-not-reap",
	.status = 1,
	.says = { "process 1 of its pid name space", "blocked, and pending",
		  "\"nspid\": [" },
	.make = unreaped,
};

/* Its orphan is gone when it is asked; the masks are as bad. */
static pid_t reaped_by(void (*init)(void))
{
	pid_t init_pid, pid = container(init, orphan, &init_pid);

	while (pid > 0 && state_of(pid))
		sched_yield();
	return pid > 0 ? init_pid : pid;
}

static pid_t tini(void)
{
	return reaped_by(like_tini);
}

SCENE(a_tini) = {
	.name = "init-like-tini",
	.needs = SCENE_ROOT,
	.verdict = "healthy",
	.status = 0,
	.make = tini,
};

static pid_t systemd(void)
{
	return reaped_by(like_systemd);
}

SCENE(a_systemd) = {
	.name = "init-like-systemd",
	.needs = SCENE_ROOT,
	.verdict = "healthy",
	.status = 0,
	.make = systemd,
};

/* In its container, but the fault is another's. */
static pid_t beside_tini(void)
{
	pid_t init, pid = container(like_tini, zombie, &init);

	return in_state(pid, "Z") ? pid : SCENE_BROKEN;
}

SCENE(a_zombie_beside_tini) = {
	.name = "zombie-beside-tini",
	.needs = SCENE_ROOT,
	.verdict = "parent-does-not-wait",
	.status = 1,
	.make = beside_tini,
};

/* --- subreapers --------------------------------------------------------- */

static pid_t adopt(void)
{
	int to[2];
	pid_t middle, pid;

	if (pipe(to))
		return SCENE_BROKEN;
	if (!actor()) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		middle = fork();
		if (!middle) {
			setsid();
			if (!fork()) {
				say(to, getpid());
				_exit(0);
			}
			_exit(0);
		}
		waitpid(middle, NULL, 0);
		linger();
	}
	pid = hear(to);
	return in_state(pid, "Z") ? pid : SCENE_BROKEN;
}

SCENE(a_subreaper) = {
	.name = "subreaper-does-not-reap",
	.verdict = "reaper-does-not-reap",
	.status = 1,
	.says = { "a child subreaper): the session tells" },
	.make = adopt,
};

/* By birth, though of another session: it called setsid() itself. */
static pid_t session(void)
{
	pid_t pid = fork();

	if (!pid) {
		setsid();
		_exit(0);
	}
	return dead_unreaped(pid);
}

SCENE(a_session) = {
	.name = "session-near-subreaper",
	.verdict = "parent-does-not-wait",
	.status = 1,
	.make = session,
};
