// SPDX-License-Identifier: GPL-2.0
/*
 * A zombie has no memory left, but it keeps its slot: it counts against
 * RLIMIT_NPROC until release_task(). So a parent that does not wait ends in
 * EAGAIN; one reap makes room for one fork.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../scenario.h"

#define NOBODY 60123 /* a user who has no other process */
#define SLOTS  20

/* NPROC is not for root: be somebody else. */
static int64_t order_be_limited(const struct order *o)
{
	struct rlimit lim = { (rlim_t)o->arg[1], (rlim_t)o->arg[1] };

	if (setrlimit(RLIMIT_NPROC, &lim) < 0 || setgid((gid_t)o->arg[0]) < 0 ||
	    setuid((uid_t)o->arg[0]) < 0)
		return -errno;
	return 0;
}

/*
 * Children that end at once; how many until the error, which is arg[0]. All are
 * zombies then.
 */
static int64_t order_fill(const struct order *o)
{
	pid_t child[1000];
	siginfo_t si;
	int n, err = 0;

	for (n = 0; n < (int)ARRAY_SIZE(child) && !err; n++) {
		child[n] = fork();
		if (!child[n])
			_exit(7);
		if (child[n] < 0)
			err = errno;
	}
	if (!err)
		return -ERANGE;
	n--;
	for (int i = 0; i < n; i++)
		if (waitid(P_PID, (id_t)child[i], &si, WEXITED | WNOWAIT) < 0)
			return -errno;
	return err == o->arg[0] ? n : -err;
}

static void play(void)
{
	struct actor *r;

	step("R, limited to %d processes, forks children and does not wait",
	     SLOTS);
	r = spawn("R");
	expect_equal(ask(leader(r), order_be_limited, NOBODY, SLOTS), 0,
		     "setrlimit(RLIMIT_NPROC) and setuid()", "set_user()");
	expect_equal(ask(leader(r), order_fill, EAGAIN, 0), SLOTS - 1,
		     "children until fork() said EAGAIN",
		     "copy_process(): is_rlimit_overlimit(); a zombie counts");

	step("one reap, one fork");
	expect(ask(leader(r), order_wait, 0, WEXITED) > 0,
	       "wait_task_zombie(), release_task(): dec_rlimit_ucounts()",
	       "waitid(P_ALL) in R: a child");
	expect_equal(ask(leader(r), order_fill, EAGAIN, 0), 1,
		     "children until fork() said EAGAIN",
		     "copy_process(): one slot was free");

	step("SIGCHLD ignored from now on: that frees no zombie");
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	expect_equal(ask(leader(r), order_fill, EAGAIN, 0), 0,
		     "children until fork() said EAGAIN",
		     "do_sigaction() reaps nobody");
}

SCENARIO(slots_nproc) = {
	.name = "slots-nproc",
	.summary = "zombies fill RLIMIT_NPROC: fork fails, one reap, one fork",
	.needs = NEED_ROOT,
	.play = play,
};
