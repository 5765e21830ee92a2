// SPDX-License-Identifier: GPL-2.0
/*
 * semop(SEM_UNDO): what a process has done to semaphores is undone when its last
 * thread ends, also of a zombie that nobody reaps.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>

#include "../scenario.h"

#define VALUE 7

/* Returns its id. */
static int64_t order_semget(const struct order *o)
{
	int id = semget(IPC_PRIVATE, 1, 0600);

	if (id < 0 || semctl(id, 0, SETVAL, (int)o->arg[0]) < 0)
		return -errno;
	return id;
}

static int64_t order_take(const struct order *o)
{
	struct sembuf op = { .sem_op = -1, .sem_flg = SEM_UNDO };

	return semop((int)o->arg[0], &op, 1) < 0 ? -errno : 0;
}

static int64_t order_value(const struct order *o)
{
	int value = semctl((int)o->arg[0], 0, GETVAL);

	return value < 0 ? -errno : value;
}

static void expect_value(struct actor *r, int64_t id, int64_t wanted,
			 const char *why)
{
	expect_equal(ask(leader(r), order_value, id, 0), wanted,
		     "the semaphore, as R sees it", why);
}

static void play(void)
{
	struct actor *r, *c;
	struct thread *t;
	int64_t id;

	step("C, a child of R, and its thread T take from a semaphore of %d",
	     VALUE);
	r = spawn("R");
	/* So that the semaphore ends with them, whatever happens. */
	id = ask(leader(r), order_unshare, CLONE_NEWIPC, 0);
	if (!id)
		id = ask(leader(r), order_semget, VALUE, 0);
	if (id < 0)
		skip("no semaphore in an IPC namespace: %s",
		     strerror((int)-id));
	c = spawn_by(r, "C");
	t = thread(c, "T");
	expect_equal(ask(leader(c), order_take, id, 0), 0, "semop() in C",
		     "__do_semtimedop()");
	expect_equal(ask(t, order_take, id, 0), 0, "semop() in T",
		     "__do_semtimedop()");
	expect_value(r, id, VALUE - 2, "perform_atomic_semop()");

	step("the leader of C ends, T lives: the list is theirs together");
	exit_thread(leader(c), 5);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_value(r, id, VALUE - 2,
		     "exit_sem(): CLONE_SYSVSEM, T has the list as well");

	step("T ends: both are undone, and C is a zombie");
	exit_thread(t, 5);
	expect_wakeup(c->pidfd, "pidfd of C", "release_task(T): zap_leader");
	expect_value(r, id, VALUE, "do_exit(): exit_sem()");
	expect_wait(leader(r), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 5),
		    "wait_task_zombie()");
}

SCENARIO(exit_sem) = {
	.name = "exit-sem",
	.summary =
		"semop(SEM_UNDO) is undone when the last thread ends, not when it is reaped",
	.needs = NEED_ROOT,
	.play = play,
};
