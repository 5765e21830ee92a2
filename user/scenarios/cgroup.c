// SPDX-License-Identifier: GPL-2.0
/*
 * The dying in a cgroup (v2): who is listed, and when the folder can go.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../scenario.h"

#define ROOT "/sys/fs/cgroup"

static char folder[64];

static bool removed(void *path)
{
	return !rmdir(path) || errno == ENOENT;
}

/* Those in it are being killed. */
static void remove_folder(const char *path)
{
	char copy[sizeof(folder)];

	snprintf(copy, sizeof(copy), "%s", path);
	await_true(removed, copy, AWAIT_MS);
}

static void make_folder(void)
{
	struct statfs fs;

	if (statfs(ROOT, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		skip("no cgroup v2 at " ROOT);
	snprintf(folder, sizeof(folder), ROOT "/undead-%d", getpid());
	at_end(remove_folder, folder);
	if (mkdir(folder, 0755) < 0)
		broken("cannot make %s: %m", folder);
}

static int open_in(const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		broken("cannot open %s: %m", path);
	return fd;
}

static void put_in(struct actor *p)
{
	_cleanup_close_ int fd = open_in("cgroup.procs", O_WRONLY);

	if (dprintf(fd, "%d\n", p->pid) < 0)
		broken("cannot move %s to the cgroup: %m", p->name);
}

static bool file_has(const char *name, const char *word)
{
	_cleanup_close_ int fd = open_in(name, O_RDONLY);
	char text[512];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return strstr(text, word);
}

static bool lists(struct actor *p)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d\n", p->pid);
	return file_has("cgroup.procs", pid);
}

static void expect_listed(struct actor *p, bool wanted, const char *why)
{
	bool seen = lists(p);

	expect(seen == wanted, why, "%s %d in cgroup.procs: %s (expected %s)",
	       p->name, p->pid, seen ? "yes" : "no", wanted ? "yes" : "no");
}

static void expect_removed(int err, int wanted, const char *why)
{
	expect(err == wanted, why, "rmdir() of the cgroup: %s (expected %s)",
	       err ? strerror(err) : "done",
	       wanted ? strerror(wanted) : "done");
}

static int try_remove(void)
{
	return rmdir(folder) ? errno : 0;
}

static void leader_dies(void)
{
	struct actor *p;
	struct thread *t;

	step("P in a cgroup: the leader ends by SYS_exit(3), T lives");
	make_folder();
	p = spawn("P");
	t = thread(p, "T");
	put_in(p);
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_listed(p, true,
		      "css_task_iter_advance(): a dying leader with live threads");
	expect_removed(try_remove(), EBUSY, "cgroup_is_populated(): T");

	step("T ends: P is a zombie, in no cgroup for anybody");
	exit_thread(t, 5);
	expect_wakeup(p->pidfd, "pidfd of P", "release_task(T): zap_leader");
	expect_listed(p, false, "css_task_iter_advance(): signal->live is 0");
	expect(await_true(removed, folder, AWAIT_MS),
	       "cgroup_exit(): the last one has left",
	       "rmdir() of the cgroup, with a zombie that was in it");
	reap(p);
}

static const char *const leader_watches[] = {
	"c03cd7738a83 (\"cgroup: Include dying leaders with live threads in PROCS iterations\")",
	NULL
};

SCENARIO(cgroup_leader) = {
	.name = "cgroup-leader",
	.summary =
		"the leader has ended, threads live: cgroup.procs lists the process",
	.rows = "A35",
	.needs = NEED_ROOT,
	.watches = leader_watches,
	.play = leader_dies,
};

#define TIMES 20

static void reaped(void)
{
	int busy = 0, listed = 0;

	step("%d times: P in a cgroup is killed and reaped, the cgroup removed",
	     TIMES);
	make_folder();
	for (int i = 0; i < TIMES; i++) {
		struct actor *p = spawn("P");

		if (i && mkdir(folder, 0755) < 0)
			broken("cannot make %s: %m", folder);
		put_in(p);
		send_signal(p, SIGKILL);
		if (waitid(P_PID, (id_t)p->pid, NULL, WEXITED) < 0)
			broken("cannot reap P: %m");
		listed += lists(p);
		if (try_remove()) {
			busy++;
			remove_folder(folder);
		}
	}
	expect_equal(listed, 0, "times that the reaped P was listed",
		     "css_task_iter_advance(): no dead tasks");
	expect_equal(busy, 0, "times that rmdir() failed after the wait",
		     "cgroup_exit() before the wait, or cgroup_rmdir() waits");
}

static const char *const reaped_watches[] = {
	"d245698d727a (\"cgroup: Defer task cgroup unlink until after the task is done switching out\")",
	"1b164b876c36 (\"cgroup: Wait for dying tasks to leave on rmdir\")",
	NULL
};

SCENARIO(cgroup_reaped) = {
	.name = "cgroup-reaped",
	.summary =
		"who has reaped the last process of a cgroup can remove it at once",
	.rows = "A36",
	.needs = NEED_ROOT,
	.watches = reaped_watches,
	.play = reaped,
};

static int64_t order_rmdir(const struct order *o)
{
	(void)o;
	return try_remove();
}

static void stuck(void)
{
	/* Commit a72f73c4dd9b ("cgroup: Don't expose dead tasks in cgroup"). */
	bool listed = kernel_before(7, 0);
	int g = gate(), err;
	int64_t result = EINPROGRESS;
	struct actor *p, *r;

	step("P, with one thread and in a cgroup, is held in exit_files()");
	make_folder();
	p = spawn("P");
	r = spawn("R");
	put_in(p);
	hold_in_exit(leader(p), g, IN_FILES, 5);
	expect_listed(p, listed,
		      listed ?
			      "cgroup_exit() has not run" :
			      "css_task_iter_advance(): PF_EXITING, signal->live is 0");
	expect(file_has("cgroup.events", "populated 1"),
	       "cgroup_task_dead() has not run", "cgroup.events: populated 1");

	step("R removes the cgroup, while P is in D");
	tell(leader(r), order_rmdir, 0, 0);
	err = thread_result(leader(r), AWAIT_MS, &result);
	if (err)
		broken("rmdir() does not return: %d", err);
	expect_removed((int)result, listed ? EBUSY : 0,
		       listed ?
			       "cgroup_destroy_locked(): populated" :
			       "cgroup_destroy_locked(): only the dying are left");

	step("P is released and reaped: it can be removed in any case");
	expect_equal(release(g), 1, "threads released", "the gate held P");
	reap(p);
	expect(await_true(removed, folder, AWAIT_MS), "cgroup_task_dead()",
	       "the cgroup is gone");
}

static const char *const stuck_watches[] = {
	"a72f73c4dd9b (\"cgroup: Don't expose dead tasks in cgroup\")",
	"1b164b876c36 (\"cgroup: Wait for dying tasks to leave on rmdir\")",
	NULL
};

SCENARIO(cgroup_stuck) = {
	.name = "cgroup-stuck",
	.summary =
		"a process stuck in exit: is it listed in its cgroup, can that be removed",
	.rows = "A36",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = stuck_watches,
	.verdict = "stuck-in-exit",
	.play = stuck,
};
