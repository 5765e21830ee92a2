// SPDX-License-Identifier: GPL-2.0
/*
 * What is left of a process that was released: nothing. Its pid is free once
 * nobody has it as session or process group either, its folders in /proc have
 * no name any more, and it counts nowhere.
 */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

/* A child with pid arg[0], which ends at once. */
static int64_t order_take_pid(const struct order *o)
{
	pid_t pid = (pid_t)o->arg[0];
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!child)
		_exit(0);
	if (child < 0)
		return -errno;
	return waitpid(child, NULL, 0) == pid ? 0 : -ECHILD;
}

struct taking {
	struct actor *by;
	pid_t pid;
	int64_t seen;
};

static bool taken(void *arg)
{
	struct taking *t = arg;

	t->seen = ask(leader(t->by), order_take_pid, t->pid, 0);
	return !t->seen;
}

/* A thread reaps itself: it is gone a moment before its pid is free. */
static void expect_taken(struct actor *r, pid_t pid, int err, const char *why)
{
	struct taking t = { .by = r, .pid = pid };
	int64_t seen;

	await_true(taken, &t, err ? 0 : AWAIT_MS);
	seen = t.seen;
	if (seen == -ENOSYS || seen == -EINVAL || seen == -EPERM)
		skip("clone3() takes no pid from us: %s", strerror((int)-seen));
	expect(seen == -err, why, "clone3() with set_tid %d: %s (expected %s)",
	       pid, strerror((int)-seen), strerror(err));
}

static void pid_is_free(void)
{
	const char *members =
		"free_pid(): not while a task has it as group or session";
	const char *free = "__unhash_process(): detach_pid() of all types";
	struct actor *r, *p, *m;
	struct thread *t;
	pid_t tid;

	step("P leads a session with one more member M, and has a thread T");
	r = spawn("R");
	p = spawn("P");
	ask(leader(p), order_setsid, 0, 0);
	m = spawn_by(p, "M");
	t = thread(p, "T");
	tid = t->tid;
	expect_taken(r, tid, EEXIST, "alloc_pid(): T has it");

	step("T ends: its number is free at once");
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");
	expect_taken(r, tid, 0, free);

	step("P ends, and is a zombie; then it is reaped");
	exit_group(leader(p), 7);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_taken(r, p->pid, EEXIST, "alloc_pid(): a zombie has its pid");
	reap(p);
	expect_taken(r, p->pid, EEXIST, members);

	step("M leaves the process group, then the session");
	ask(leader(m), order_setpgid, 0, 0);
	expect_taken(r, p->pid, EEXIST, members);
	exit_group(leader(m), 3);
	reap(m);
	expect_taken(r, m->pid, 0, free);
	expect_taken(r, p->pid, 0, free);
}

SCENARIO(released_pid) = {
	.name = "released-pid",
	.summary =
		"a pid is free when its process is reaped and nobody has it as group or session",
	.rows = "RT4",
	.needs = NEED_ROOT,
	.play = pid_is_free,
};

/* --- its folders ---------------------------------------------------------- */

/* Does the kernel say that an open folder has lost its name? */
static void expect_named(int fd, bool named, const char *why)
{
	char link[64], text[256] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, text, sizeof(text) - 1) < 0)
		broken("%s: %m", link);
	expect(!strstr(text, "(deleted)") == named, why,
	       "an open folder of it: %s (expected with%s \"(deleted)\")", text,
	       named ? "out" : "");
}

static int open_folder(pid_t pid, pid_t tid)
{
	char path[64];
	int fd;

	if (tid)
		snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, tid);
	else
		snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		broken("%s: %m", path);
	return fd;
}

static void folders(void)
{
	const char *flushed = "proc_flush_pid(): d_invalidate()";
	struct actor *p;
	struct thread *t;
	int of_p, of_t;

	step("the folders of P and of its thread T in /proc are open");
	p = spawn("P");
	t = thread(p, "T");
	of_p = open_folder(p->pid, 0);
	of_t = open_folder(p->pid, t->tid);
	expect_named(of_t, true, "proc_pid_instantiate()");

	step("the leader ends, a zombie: its folder stays");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_named(of_p, true, "release_task(P) has not run");

	step("T ends, P is reaped");
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");
	reap(p);
	expect_named(of_p, false, flushed);
	close(of_p);
	close(of_t);
}

SCENARIO(released_folder) = {
	.name = "released-folder",
	.summary =
		"the folder of a process in /proc loses its name at the reaping",
	.needs = NEED_ROOT,
	.play = folders,
};

/* --- where it counts ------------------------------------------------------ */

#define MANY 200
#define PART 20 /* by one order, which is not to take long anywhere */

/* Reaps as many. */
static int64_t order_come_and_go(const struct order *o)
{
	for (int64_t i = 0; i < o->arg[0]; i++) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		if (child < 0 || waitpid(child, NULL, 0) != child)
			return -errno;
	}
	return 0;
}

struct counts {
	long processes; /* a link of /proc is a process */
	long threads;
};

static void count(struct counts *c)
{
	char text[128] = "";
	struct stat st;

	proc_read(1, 0, "../loadavg", text, sizeof(text));
	if (sscanf(text, "%*f %*f %*f %*d/%ld", &c->threads) != 1 ||
	    stat("/proc", &st) < 0)
		broken("cannot count processes: %m");
	c->processes = (long)st.st_nlink;
}

/* Others on this machine come and go, too; not so many. */
static void expect_few_more(long before, long after, const char *what,
			    const char *why)
{
	expect(after - before < MANY / 2, why,
	       "%s: %ld more than before (expected less than %d)", what,
	       after - before, MANY / 2);
}

static void counted(void)
{
	struct counts before, after;
	struct actor *r;

	step("%d children of R come, end, and are reaped", MANY);
	r = spawn("R");
	count(&before);
	for (int i = 0; i < MANY; i += PART)
		expect_equal(ask(leader(r), order_come_and_go, PART, 0), 0,
			     "fork() and waitpid() in R", "wait_task_zombie()");
	count(&after);
	expect_few_more(before.processes, after.processes, "links of /proc",
			"__unhash_process(): process_counts");
	expect_few_more(before.threads, after.threads,
			"threads by /proc/loadavg",
			"__unhash_process(): nr_threads");
}

SCENARIO(released_counts) = {
	.name = "released-counts",
	.summary =
		"who is released is no longer counted: /proc's links, loadavg",
	.play = counted,
};

/* --- its namespaces ------------------------------------------------------- */

#ifndef SYS_listns
#define SYS_listns 470
#endif
#define GET_NS_ID _IOR(0xb7, 13, uint64_t)

struct listns_request {
	uint32_t size, spare;
	uint64_t after;
	uint32_t type, spare2;
	uint64_t owner;
};

/* Is there an active namespace with this id? -errno: not to be asked. */
static int listed(uint64_t id, uint32_t type)
{
	struct listns_request request = {
		.size = sizeof(request),
		.after = id - 1,
		.type = type,
	};
	uint64_t found[1];
	long n = syscall(SYS_listns, &request, found, 1, 0);

	/* None at all from here on. */
	if (n < 0 && errno == ENOENT)
		return false;
	return n < 0 ? -errno : n == 1 && found[0] == id;
}

/* Of a link in /proc; as long as the file is open it is active. */
static int64_t ns_id(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t id = 0;

	if (fd < 0 || ioctl(fd, GET_NS_ID, &id) < 0)
		return -errno;
	return (int64_t)id;
}

static int64_t order_userns(const struct order *o)
{
	(void)o;
	if (unshare(CLONE_NEWUSER) < 0)
		return -errno;
	return ns_id("/proc/thread-self/ns/user");
}

#define NO_LISTNS \
	"no listns(), or no namespaces: commit 76b6f5dfb3fd (\"nstree: add listns()\"), 6.19"

static void pid_namespace(void)
{
	struct actor *i;
	char path[64];
	int64_t id;

	step("I is the init of a pid namespace");
	i = spawn_clone(NULL, "I", CLONE_NEWPID, SIGCHLD);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", i->pid);
	id = ns_id(path);
	if (id < 0 || listed((uint64_t)id, CLONE_NEWPID) < 0)
		skip(NO_LISTNS);
	expect_equal(listed((uint64_t)id, CLONE_NEWPID), true, "it is listed",
		     "alloc_pid(): ns_ref_active_get()");

	step("I ends, and is reaped");
	exit_group(leader(i), 7);
	expect_state(leader(i), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_equal(listed((uint64_t)id, CLONE_NEWPID), true, "it is listed",
		     "free_pid() has not run");
	reap(i);
	expect_equal(listed((uint64_t)id, CLONE_NEWPID), false, "it is listed",
		     "free_pid(): ns_ref_active_put()");
}

SCENARIO(released_pid_namespace) = {
	.name = "released-pid-namespace",
	.summary = "a pid namespace is listed as long as the zombie of its init",
	.needs = NEED_ROOT,
	.play = pid_namespace,
};

static void namespaces(void)
{
	struct actor *p = spawn("P");
	int64_t id;

	step("P is in a user namespace of its own");
	id = ask(leader(p), order_userns, 0, 0);
	if (id < 0 || listed((uint64_t)id, CLONE_NEWUSER) < 0)
		skip(NO_LISTNS);
	expect_equal(listed((uint64_t)id, CLONE_NEWUSER), true, "it is listed",
		     "__ns_ref_active_get()");

	step("P ends, and is reaped");
	exit_group(leader(p), 7);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_equal(listed((uint64_t)id, CLONE_NEWUSER), true, "it is listed",
		     "exit_cred_namespaces() has not run");
	reap(p);
	expect_equal(listed((uint64_t)id, CLONE_NEWUSER), false, "it is listed",
		     "release_task(): exit_cred_namespaces()");
}

SCENARIO(released_namespaces) = {
	.name = "released-namespaces",
	.summary =
		"a user namespace is listed as long as the zombie that was in it",
	.needs = NEED_ROOT,
	.play = namespaces,
};
