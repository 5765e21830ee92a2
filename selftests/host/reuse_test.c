// SPDX-License-Identifier: GPL-2.0
/*
 * The doctor looks at a process that dies, and whose number another one gets, at
 * any moment between two of its reads: ROUNDS times (or REUSE_ROUNDS), at each of
 * its calls of open(), openat() and poll() in turn. What it says must be of one of
 * the two, and of that alone.
 *
 * In a pid name space of our own, where ns_last_pid says who is next.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor.h"

#define NUMBER 1000
#define ROUNDS 1000

/* --- what is called between two reads ------------------------------------ */

static void (*hook)(void);
static int countdown, calls;

static void called(void)
{
	/* Not in the reader's child. */
	if (getpid() != 1 || !hook)
		return;
	calls++;
	if (!countdown--) {
		void (*now)(void) = hook;

		hook = NULL;
		now();
	}
}

int open(const char *path, int flags, ...)
{
	called();
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644);
}

int openat(int dir, const char *path, int flags, ...)
{
	called();
	return (int)syscall(SYS_openat, dir, path, flags, 0644);
}

static bool late;

/*
 * The pause between the looks is the one without a descriptor: no need of it.
 * When @late, time is up just before the reader answers, and when that is seen it
 * has ended.
 */
int poll(struct pollfd *fds, nfds_t n, int ms)
{
	int ready;

	called();
	ready = n ? (int)syscall(SYS_poll, fds, n, ms) : 0;
	if (late && ready && ms)
		return waitid(P_ALL, 0, &(siginfo_t){ 0 },
			      WEXITED | WNOWAIT | __WALL);
	return ready;
}

/* --- the cast ------------------------------------------------------------ */

static pid_t make(const char *name, bool dies)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD,
			      "/proc/sys/kernel/ns_last_pid", O_WRONLY);
	pid_t pid;

	if (dprintf(fd, "%d", NUMBER - 1) < 0)
		exit(1);
	close(fd);
	prctl(PR_SET_NAME, name);
	pid = fork();
	while (!pid && !dies)
		pause();
	if (!pid)
		_exit(3);
	if (dies)
		waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	return pid;
}

static void unmake(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool old_dies, reused;

static void replace(void)
{
	unmake(NUMBER);
	if (reused && make("NEW", !old_dies) != NUMBER)
		exit(1);
}

/* --- what is said -------------------------------------------------------- */

static bool one_of(const char *name, bool dies)
{
	return dies ? strstr("reaper-does-not-reap in-passing", name) :
		      strstr("healthy in-passing", name);
}

/* Return: NULL, or what is wrong. @held: the old one was, before it went */
static const char *wrong(const struct patient *p, bool held)
{
	static char text[256];
	static struct finding f;
	const struct verdict *v;
	bool old;

	if (p->err)
		return p->err == -ESRCH ? NULL : strerror(-p->err);
	v = judge(p, &f);
	old = !strcmp(p->tasks[0].st.name, "OLD");
	snprintf(text, sizeof(text), "%s %c%s: %s", p->tasks[0].st.name,
		 p->tasks[0].st.state, p->gone ? ", gone" : "",
		 v ? v->name : "nothing");
	return v && (old || !held) &&
			       one_of(v->name, old ? old_dies : !old_dies) ?
		       NULL :
		       text;
}

static const char *examine_once(int at)
{
	struct patient p = { .asked = NUMBER };
	struct snap *s = snap_live();
	const char *said;

	if (make("OLD", old_dies) != NUMBER)
		return "no such number to be had";
	countdown = at;
	hook = replace;
	examine(s, &p, 1);
	hook = NULL;
	/* The first call opens its folder. */
	said = wrong(&p, at > 0);
	patient_free(&p);
	snap_free(s);
	unmake(NUMBER);
	return said;
}

static int rounds(int n)
{
	const char *said;
	int length;

	/* Once without, to count the calls. */
	examine_once(1 << 30);
	length = calls;
	for (int i = 0; i < n; i++) {
		old_dies = i & 1;
		reused = i & 2;
		said = examine_once(i / 4 % (length + 1));
		if (said) {
			printf("not ok 1 round %d, call %d: %s\n", i,
			       i / 4 % (length + 1), said);
			return 1;
		}
	}
	printf("ok 1 %d rounds, at each of %d calls: no wrong blame\n", n,
	       length);
	return 0;
}

/* It is no evidence that the read did not end. */
static int answers_late(void)
{
	struct patient p = { .asked = NUMBER };
	struct snap *s = snap_live();
	bool ok;

	if (make("OLD", false) != NUMBER)
		return 1;
	late = true;
	examine(s, &p, 1);
	late = false;
	ok = !p.err && !p.tasks[0].locked && !p.tasks[0].read;
	printf("%s 2 answers that come late\n", ok ? "ok" : "not ok");
	patient_free(&p);
	snap_free(s);
	unmake(NUMBER);
	return !ok;
}

int main(void)
{
	const char *n = getenv("REUSE_ROUNDS");
	int status;

	printf("TAP version 13\n1..2\n");
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		printf("ok 1 # SKIP needs root\nok 2 # SKIP needs root\n");
		return 0;
	}
	fflush(stdout);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (mount("proc", "/proc", "proc", 0, NULL))
			return 1;
		status = rounds(n ? atoi(n) : ROUNDS);
		return answers_late() || status;
	}
	return wait(&status) < 0 || status;
}
