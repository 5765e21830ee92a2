// SPDX-License-Identifier: GPL-2.0
/*
 * A zombie has no memory left, but it keeps its slot until release_task(): it
 * counts against RLIMIT_NPROC and pids.max, and nobody else gets its pid. So a
 * parent that does not wait ends in EAGAIN; one reap makes room for one fork.
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../scenario.h"

#define SLOTS 20

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

/* Fork arg[0] children, which are zombies then. */
static int64_t order_some(const struct order *o)
{
	siginfo_t si;

	for (int64_t n = 0; n < o->arg[0]; n++) {
		pid_t pid = fork();

		if (!pid)
			_exit(7);
		if (pid < 0 ||
		    waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT) < 0)
			return -errno;
	}
	return o->arg[0];
}

static void play(void)
{
	/* A user who has no other process, not even of another run. */
	uid_t nobody = 100000 + (uid_t)getpid();
	struct actor *r;

	step("R, limited to %d processes, forks children and does not wait",
	     SLOTS);
	r = spawn("R");
	expect_equal(ask(leader(r), order_be_limited, nobody, SLOTS), 0,
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

/* --- a cgroup ------------------------------------------------------------ */

/* Return: 0 or -errno. */
static int put(const char *dir, const char *file, const char *text)
{
	_cleanup_close_ int fd = -1;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* The first line of a file, "" for none. */
static const char *get(const char *dir, const char *file)
{
	_cleanup_close_ int fd = -1;
	static char text[256];
	char path[256];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void find_cgroup2(char *path, size_t size)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	*path = '\0';
	while (f && (m = getmntent(f)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			snprintf(path, size, "%s", m->mnt_dir);
	if (f)
		endmntent(f);
	if (!*path)
		skip("no cgroup2 is mounted");
	if (!strstr(get(path, "cgroup.controllers"), "pids"))
		skip("%s has no controller pids", path);
}

static bool removed(void *path)
{
	return !rmdir(path) || errno == ENOENT;
}

/* It is busy until the last of those in it has died. */
static void remove_cgroup(const char *path)
{
	await_true(removed, (void *)path, AWAIT_MS);
}

static void no_pids(const char *root)
{
	put(root, "cgroup.subtree_control", "-pids");
}

/* A cgroup with room for SLOTS. */
static void make_cgroup(char *path, size_t size)
{
	char root[128], max[16];
	int err;

	find_cgroup2(root, sizeof(root));
	if (!strstr(get(root, "cgroup.subtree_control"), "pids")) {
		at_end(no_pids, root);
		err = put(root, "cgroup.subtree_control", "+pids");
		if (err)
			skip("%s/cgroup.subtree_control does not take +pids: %s",
			     root, strerror(-err));
	}
	snprintf(path, size, "%s/undead-%d", root, getpid());
	at_end(remove_cgroup, path);
	if (mkdir(path, 0755) < 0)
		skip("cannot make %s: %m", path);
	snprintf(max, sizeof(max), "%d", SLOTS);
	err = put(path, "pids.max", max);
	if (err)
		broken("%s/pids.max: %s", path, strerror(-err));
}

static void in_cgroup(void)
{
	char cgroup[160], pid[16];
	struct actor *r;
	int err;

	step("R, in a cgroup with pids.max %d, forks and does not wait", SLOTS);
	make_cgroup(cgroup, sizeof(cgroup));
	r = spawn("R");
	snprintf(pid, sizeof(pid), "%d", r->pid);
	err = put(cgroup, "cgroup.procs", pid);
	if (err)
		broken("%s/cgroup.procs: %s", cgroup, strerror(-err));
	expect_equal(ask(leader(r), order_fill, EAGAIN, 0), SLOTS - 1,
		     "children until fork() said EAGAIN",
		     "pids_can_fork(): a zombie is still charged");
	expect_equal(atoi(get(cgroup, "pids.current")), SLOTS, "pids.current",
		     "pids_release() is called by release_task()");
	expect(!strcmp(get(cgroup, "pids.events"), "max 1"),
	       "pids_can_fork(): the limit was hit", "pids.events: %s",
	       get(cgroup, "pids.events"));
	expect_equal(atoi(get(cgroup, "cgroup.procs")), r->pid,
		     "the first in cgroup.procs",
		     "css_task_iter_advance(): the dead are not listed");

	step("one reap, one fork");
	expect(ask(leader(r), order_wait, 0, WEXITED) > 0,
	       "wait_task_zombie(), release_task()",
	       "waitid(P_ALL) in R: a child");
	expect_equal(atoi(get(cgroup, "pids.current")), SLOTS - 1,
		     "pids.current", "pids_release(): uncharged");
	expect_equal(ask(leader(r), order_fill, EAGAIN, 0), 1,
		     "children until fork() said EAGAIN",
		     "pids_can_fork(): one slot was free");
}

SCENARIO(slots_pids_max) = {
	.name = "slots-pids-max",
	.summary = "zombies fill pids.max: fork fails, one reap, one fork",
	.needs = NEED_ROOT,
	.verdict = "parent-does-not-wait",
	.play = in_cgroup,
};

/* --- pid numbers --------------------------------------------------------- */

#define PID_MAX  "/proc/sys/kernel/pid_max"
#define SMALL    330 /* more than RESERVED_PIDS, which come but once */
#define RESERVED 300

/* Reap child arg[0]; what the next two fork() say: a pid, then arg[1]. */
static int64_t order_replace(const struct order *o)
{
	siginfo_t si;
	pid_t pid;

	if (waitid(P_PID, (id_t)o->arg[0], &si, WEXITED) < 0)
		return -errno;
	pid = fork();
	if (!pid)
		_exit(7);
	if (pid < 0)
		return -errno;
	if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT) < 0)
		return -errno;
	return order_fill(&(struct order){ .arg = { o->arg[1] } }) ? -EEXIST :
								     pid;
}

/* Of the zombies that it has, the one with the highest or lowest pid. */
static int64_t order_child(const struct order *o)
{
	siginfo_t si;

	for (int i = 0; i < SMALL; i++) {
		pid_t pid = o->arg[0] ? SMALL - 1 - i : i + 2;

		if (!waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT | WNOHANG))
			return pid;
	}
	return -ECHILD;
}

static void one_for_one(struct actor *r)
{
	const char *full =
		"alloc_pid(): idr_alloc_cyclic() has none left below pid_max";
	int64_t pid = ask(leader(r), order_child, true, 0);

	step("one reap, one fork, with the very same pid");
	expect(pid >= RESERVED, full, "the highest pid: %lld", (long long)pid);
	expect_equal(ask(leader(r), order_replace, pid, EAGAIN), pid,
		     "pid of the next child, the last before EAGAIN", full);
}

/* Is pid_max of I, in a pid namespace of its own, another one than ours? */
static int64_t order_inode(const struct order *o)
{
	struct stat st;

	(void)o;
	return stat(PID_MAX, &st) < 0 ? -errno : (int64_t)st.st_ino;
}

static int64_t order_pid_max(const struct order *o)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)o->arg[0]);
	return put("/proc/sys/kernel", "pid_max", text);
}

static void in_namespace(void)
{
	_cleanup_close_ int ours = open(PID_MAX, O_RDONLY | O_CLOEXEC);
	struct stat st;
	struct actor *i;
	int64_t n = 0;

	step("I, init of a pid namespace with pid_max %d, forks and does not wait",
	     SMALL);
	i = spawn_clone(NULL, "I", CLONE_NEWPID, SIGCHLD);
	/* We have it open: the same file would be the same inode. */
	if (ours < 0 || fstat(ours, &st) < 0)
		broken("%s: %m", PID_MAX);
	if (ask(leader(i), order_inode, 0, 0) == (int64_t)st.st_ino)
		skip("pid_max is the machine's, not the namespace's (6.14 has it)");
	expect_equal(ask(leader(i), order_pid_max, SMALL, 0), 0,
		     "writing pid_max",
		     "commit 7863dcc72d0f (\"pid: allow pid_max to be set per pid namespace\")");
	/* In parts: so many forks take a slow machine longer than one order may. */
	for (int part = 0; part < 6; part++)
		n += ask(leader(i), order_some, RESERVED / 6, 0);
	n += ask(leader(i), order_fill, EAGAIN, 0);
	expect_equal(n, SMALL - 2, "children until fork() said EAGAIN",
		     "alloc_pid(): 1 is I; zombies have all others below pid_max");

	step("the pid of a low one is not used again");
	expect_equal(ask(leader(i), order_wait,
			 ask(leader(i), order_child, false, 0), WEXITED) > 0,
		     true, "a zombie with a low pid is reaped",
		     "release_task(), free_pid()");
	expect_equal(ask(leader(i), order_fill, EAGAIN, 0), 0,
		     "children until fork() said EAGAIN",
		     "alloc_pid(): RESERVED_PIDS are for the first round");
	one_for_one(i);
}

SCENARIO(slots_pid_max) = {
	.name = "slots-pid-max",
	.summary =
		"zombies have all pids of a namespace: fork fails, one reap, one fork",
	.needs = NEED_ROOT,
	.verdict = "parent-does-not-wait",
	.play = in_namespace,
};

static void restore_pid_max(const char *text)
{
	put("/proc/sys/kernel", "pid_max", text);
}

static void on_machine(void)
{
	char before[16], small[16];
	struct actor *r;
	int64_t n;
	int err;

	step("pid_max of the machine is %d; R forks and does not wait", SMALL);
	r = spawn("R");
	snprintf(before, sizeof(before), "%.15s",
		 get("/proc/sys/kernel", "pid_max"));
	at_end(restore_pid_max, before);
	snprintf(small, sizeof(small), "%d", SMALL);
	err = put("/proc/sys/kernel", "pid_max", small);
	if (err)
		broken("%s: %s", PID_MAX, strerror(-err));
	n = ask(leader(r), order_fill, EAGAIN, 0);
	expect(n > 0, "alloc_pid(): zombies have all the others below pid_max",
	       "children until fork() said EAGAIN: %lld", (long long)n);
	one_for_one(r);

	step("pid_max is what it was");
	expect_equal(put("/proc/sys/kernel", "pid_max", before), 0,
		     "writing pid_max", "proc_dointvec_minmax()");
}

SCENARIO(slots_pid_max_machine) = {
	.name = "slots-pid-max-machine",
	.summary =
		"zombies have all pids of the machine: fork fails, one reap, one fork",
	.needs = NEED_ROOT | NEED_VM,
	.verdict = "parent-does-not-wait",
	.play = on_machine,
};
