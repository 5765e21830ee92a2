// SPDX-License-Identifier: GPL-2.0
/*
 * System V shared memory outlives who made it, unless kernel.shm_rmid_forced:
 * then the segments of a thread that ends go with it, or with whom they are
 * attached to.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../scenario.h"

/* Of the IPC namespace of who writes. */
static int64_t order_force(const struct order *o)
{
	_cleanup_close_ int fd =
		open("/proc/sys/kernel/shm_rmid_forced", O_WRONLY | O_CLOEXEC);
	char value = '0' + (char)o->arg[0];

	return fd < 0 || write(fd, &value, 1) != 1 ? -errno : 0;
}

static int64_t order_shmget(const struct order *o)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);

	(void)o;
	return id < 0 ? -errno : id;
}

static int64_t order_shmat(const struct order *o)
{
	return shmat((int)o->arg[0], NULL, 0) == (void *)-1 ? -errno : 0;
}

/* How often the segment arg[0] is attached. */
static int64_t order_attached(const struct order *o)
{
	struct shmid_ds ds;

	return shmctl((int)o->arg[0], IPC_STAT, &ds) < 0 ?
		       -errno :
		       (int64_t)ds.shm_nattch;
}

static int64_t made_by(struct thread *t)
{
	int64_t id = ask(t, order_shmget, 0, 0);

	if (id < 0)
		broken("shmget(): %s", strerror((int)-id));
	return id;
}

static void expect_attached(struct actor *p, int64_t id, int64_t wanted,
			    const char *why)
{
	expect_equal(ask(leader(p), order_attached, id, 0), wanted,
		     wanted < 0 ? "shmctl(IPC_STAT) in P: -errno" :
				  "shmctl(IPC_STAT) in P: attached",
		     why);
}

static void play(void)
{
	struct actor *p, *c;
	struct thread *t;
	int64_t id, err, used;

	step("P, in an IPC namespace of its own; its thread T makes a segment and ends");
	p = spawn("P");
	err = ask(leader(p), order_unshare, CLONE_NEWIPC, 0);
	if (!err)
		err = ask(leader(p), order_force, 0, 0);
	if (err)
		skip("no IPC namespaces here: %s", strerror((int)-err));
	t = thread(p, "T");
	id = made_by(t);
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");
	expect_attached(p, id, 0, "exit_shm(): shm_rmid_forced is 0");

	step("with shm_rmid_forced: T makes two, one of them attached, and ends");
	t = thread(p, "T");
	ask(leader(p), order_force, 1, 0);
	id = made_by(t);
	used = made_by(t);
	expect_equal(ask(leader(p), order_shmat, used, 0), 0, "shmat() in P",
		     "do_shmat()");
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");
	expect_attached(p, id, -EINVAL,
			"do_exit(): exit_shm(), shm_may_destroy()");
	expect_attached(p, used, 1, "exit_shm(): somebody has it attached");

	step("C, a child of P, makes one, and is a zombie");
	c = spawn_by(p, "C");
	id = made_by(leader(c));
	expect_attached(p, id, 0, "newseg()");
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_attached(p, id, -EINVAL, "do_exit(): exit_shm()");
	expect_wait(leader(p), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "wait_task_zombie()");
}

SCENARIO(exit_shm) = {
	.name = "exit-shm",
	.summary =
		"with kernel.shm_rmid_forced a thread's shared memory ends with the thread",
	.needs = NEED_ROOT,
	.play = play,
};
