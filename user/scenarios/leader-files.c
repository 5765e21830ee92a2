// SPDX-License-Identifier: GPL-2.0
/*
 * The process is alive, its leader is not: what /proc/PID shows is the
 * leader's, that is nothing; what is there is in /proc/PID/task/TID.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "../core/proc.h"
#include "../scenario.h"

/* The open files of a thread, -1 when it cannot be told. */
static int files(struct thread *t)
{
	char path[64];
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", t->actor->pid,
		 t->tid);
	dir = opendir(path);
	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void expect_file(struct thread *t, const char *file, bool there,
			const char *why)
{
	char text[256];
	ssize_t n = proc_read(t->actor->pid, t->tid, file, text, sizeof(text));

	expect((n > 0) == there, why, "%s of %s %d: %zd bytes (expected %s)",
	       file, t->name, t->tid, n, there ? "some" : "none");
}

static void expect_link(struct thread *t, const char *link, bool there,
			const char *why)
{
	char path[64], text[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", t->actor->pid,
		 t->tid, link);
	n = readlink(path, text, sizeof(text));
	expect((n > 0) == there, why, "%s of %s %d: %s (expected %s)", link,
	       t->name, t->tid, n > 0 ? "somewhere" : "nowhere",
	       there ? "somewhere" : "nowhere");
}

static void expect_there(struct thread *t, bool there)
{
	const char *mm = there ? "mm_users is held by it" :
				 "exit_mm(): the leader has let go";

	expect_file(t, "cmdline", there, mm);
	expect_file(t, "maps", there, mm);
	expect_file(t, "environ", there, mm);
	expect((files(t) > 0) == there,
	       there ? "the files are shared" : "exit_files()",
	       "open files of %s %d: %d (expected %s)", t->name, t->tid,
	       files(t), there ? "some" : "none");
	expect_link(t, "cwd", there, there ? "it is shared" : "exit_fs()");
	expect_link(t, "ns/net", there,
		    there ? "they are shared" :
			    "do_exit(): exit_nsproxy_namespaces()");
}

static void play(void)
{
	struct thread *both[2];
	struct actor *p;
	int64_t n = 0;

	step("P: the leader and T, both alive");
	p = spawn("P");
	both[0] = leader(p);
	both[1] = thread(p, "T");
	expect_there(both[0], true);
	expect_there(both[1], true);

	step("the leader ends by SYS_exit(3): it has nothing, T has it all");
	exit_thread(both[0], 3);
	expect_state(both[0], 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_there(both[0], false);
	expect_there(both[1], true);
	expect_state(both[1], 'S', "recvmsg(): T is healthy");
	expect_tasks(p, both, 2, "release_task() has run for neither");
	proc_stat_field(p->pid, 0, 20, &n);
	expect_equal(n, 2, "num_threads in /proc/P/stat",
		     "get_nr_threads(): the dead leader is one");
}

SCENARIO(leader_files) = {
	.name = "leader-files",
	.summary =
		"the leader has ended: /proc/PID looks empty, /proc/PID/task/TID is not",
	.rows = "A34",
	.needs = NEED_ROOT,
	.verdict = "leader-exited",
	.play = play,
};
