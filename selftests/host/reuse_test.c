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

static void next_is(pid_t pid)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD,
			      "/proc/sys/kernel/ns_last_pid", O_WRONLY);

	if (dprintf(fd, "%d", pid - 1) < 0)
		exit(1);
	close(fd);
}

static pid_t make(const char *name, bool dies)
{
	pid_t pid;

	next_is(NUMBER);
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

/* In here 2 is no kthreadd, and a dead child of it no kernel thread. */
static int child_of_two(void)
{
	struct snap *s = snap_live(), *again;
	FILE *file = tmpfile();
	struct proc_status st;
	int err = 0;
	bool ok;

	next_is(2);
	if (!fork()) {
		if (fork())
			pause();
		_exit(0);
	}
	while (proc_status(3, 0, &st) || st.state != 'Z')
		sched_yield();
	snap_to_save(s);
	ok = !snap_glance(s, 2, &st) && !snap_glance(s, 3, &st) &&
	     st.ppid == 2 && !snap_save(s, file);
	rewind(file);
	again = snap_load(file, &err);
	ok = ok && again && !snap_glance(again, 3, &st);
	printf("%s 3 a child of number 2 is in the snapshot\n",
	       ok ? "ok" : "not ok");
	snap_free(again);
	snap_free(s);
	fclose(file);
	unmake(2);
	return !ok;
}

int main(void)
{
	const char *n = getenv("REUSE_ROUNDS");
	int status;

	printf("TAP version 13\n1..3\n");
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		for (int i = 1; i <= 3; i++)
			printf("ok %d # SKIP needs root\n", i);
		return 0;
	}
	fflush(stdout);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (mount("proc", "/proc", "proc", 0, NULL))
			return 1;
		status = rounds(n ? atoi(n) : ROUNDS);
		status |= answers_late();
		return child_of_two() || status;
	}
	return wait(&status) < 0 || status;
}
