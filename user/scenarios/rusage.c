// SPDX-License-Identifier: GPL-2.0
/*
 * What a parent is charged for its dead: RUSAGE_CHILDREN, and the rusage of
 * wait4(), which are two things. Looked at by memory, which a test can decide;
 * times go the same way.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../scenario.h"

#define MB 1024L /* ru_maxrss is in kB */

static int64_t order_touch(const struct order *o)
{
	size_t size = (size_t)o->arg[0] << 20;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	memset(p, 1, size);
	return 0;
}

static int64_t order_children_maxrss(const struct order *o)
{
	struct rusage u;

	(void)o;
	return getrusage(RUSAGE_CHILDREN, &u) ? -errno : u.ru_maxrss;
}

static int64_t order_wait4_maxrss(const struct order *o)
{
	struct rusage u = { 0 };
	int status;

	return wait4((pid_t)o->arg[0], &status, 0, &u) < 0 ? -errno :
							     u.ru_maxrss;
}

static int64_t children_maxrss(struct actor *r)
{
	return ask(leader(r), order_children_maxrss, 0, 0);
}

static void expect_between(int64_t seen, int64_t from, int64_t to,
			   const char *what, const char *why)
{
	expect(seen >= from && seen < to, why,
	       "%s: %lld kB (expected %lld to %lld)", what, (long long)seen,
	       (long long)from, (long long)to);
}

static struct actor *child_that_took(struct actor *r, int mb)
{
	struct actor *c = spawn_by(r, "C");

	if (ask(leader(c), order_touch, mb, 0))
		broken("C cannot take %d MiB", mb);
	return c;
}

static void play(void)
{
	struct actor *r, *c, *g;

	step("C takes 40 MiB and ends; R has not waited");
	r = spawn("R");
	c = child_that_took(r, 40);
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_between(children_maxrss(r), 0, 20 * MB, "RUSAGE_CHILDREN of R",
		       "wait_task_zombie() has not run");

	step("R waits: both figures are there");
	expect_between(ask(leader(r), order_wait4_maxrss, c->pid, 0), 40 * MB,
		       60 * MB, "rusage of wait4()",
		       "do_exit(): maxrss is kept when the last thread goes");
	expect_between(children_maxrss(r), 40 * MB, 60 * MB,
		       "RUSAGE_CHILDREN of R",
		       "wait_task_zombie(): cmaxrss is the greatest so far");

	step("a grandchild G takes 80 MiB: it counts when C, who waited, is reaped");
	c = spawn_by(r, "C");
	g = child_that_took(c, 80);
	exit_group(leader(g), 5);
	ask(leader(c), order_wait, g->pid, WEXITED);
	expect_between(children_maxrss(r), 40 * MB, 60 * MB,
		       "RUSAGE_CHILDREN of R", "C is not reaped yet");
	exit_group(leader(c), 7);
	ask(leader(r), order_wait, c->pid, WEXITED);
	expect_between(children_maxrss(r), 80 * MB, 100 * MB,
		       "RUSAGE_CHILDREN of R",
		       "wait_task_zombie(): max of maxrss and cmaxrss of C");

	step("a child that is reaped on the spot is not charged");
	r = spawn("R");
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	c = child_that_took(r, 40);
	exit_group(leader(c), 7);
	expect_gone(leader(c), "do_notify_parent(): SIG_IGN is autoreap");
	expect_between(children_maxrss(r), 0, 20 * MB, "RUSAGE_CHILDREN of R",
		       "release_task() without wait_task_zombie()");

	step("the leader ends first, T takes 40 MiB and ends: it counts");
	r = spawn("R");
	c = spawn_by(r, "C");
	struct thread *t = thread(c, "T");

	exit_thread(leader(c), 3);
	expect_state(leader(c), 'Z', "exit_notify(): delayed leader");
	if (ask(t, order_touch, 40, 0))
		broken("T cannot take 40 MiB");
	exit_thread(t, 5);
	expect_between(ask(leader(r), order_wait4_maxrss, c->pid, 0), 40 * MB,
		       60 * MB, "rusage of wait4()",
		       "do_exit(): group_dead is the last thread, not the leader");
}

SCENARIO(rusage) = {
	.name = "rusage",
	.summary =
		"memory of the dead: wait4() and RUSAGE_CHILDREN, grandchildren, autoreap",
	.play = play,
};
