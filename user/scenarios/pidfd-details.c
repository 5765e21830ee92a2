// SPDX-License-Identifier: GPL-2.0
/* PIDFD_GET_INFO, field by field, and whom it answers. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cgroup.h"
#include "../core/await.h"
#include "../core/pidfd.h"
#include "../pidns.h"
#include "../scenario.h"

#define CGROUPID_BIT (1ULL << 2)
#define CREDS_BIT    (1ULL << 1)

/* 0 and what there is, or -errno. */
static int details(int pidfd, uint64_t mask, struct pidfd_details *d)
{
	*d = (struct pidfd_details){ .mask = mask };
	return pidfd_details(pidfd, d);
}

static void need_info(void)
{
	struct pidfd_details d;
	struct actor *p = spawn("probe");

	if (details(p->pidfd, PIDFD_INFO_PID_BIT, &d))
		skip("no PIDFD_GET_INFO: commit cdda1f26e74b (\"pidfd: add ioctl to retrieve pid info\"), 6.13");
}

/* Each another one: real, effective, saved, and of files. */
static int64_t order_ids(const struct order *o)
{
	(void)o;
	if (setresgid(60001, 60002, 60003) < 0)
		return -errno;
	setfsgid(60004);
	if (setresuid(60011, 60012, 60013) < 0)
		return -errno;
	setfsuid(60011);
	return 0;
}

static void expect_who(const struct pidfd_details *d, pid_t pid, pid_t tgid,
		       pid_t ppid)
{
	expect(d->mask & PIDFD_INFO_PID_BIT && d->pid == (uint32_t)pid &&
		       d->tgid == (uint32_t)tgid && d->ppid == (uint32_t)ppid,
	       "pidfd_info(): as the caller's pid namespace has it",
	       "pid %u, tgid %u, ppid %u (expected %d, %d, %d)", d->pid,
	       d->tgid, d->ppid, pid, tgid, ppid);
}

static void fields(void)
{
	static const uint32_t wanted[] = { 60011, 60001, 60012, 60002,
					   60013, 60003, 60011, 60004 };
	struct pidfd_details d;
	struct actor *r, *c;
	struct thread *t;
	int tfd, same = 0;

	step("C, child of R, and its thread T: who they are");
	need_info();
	r = spawn("R");
	c = spawn_by(r, "C");
	t = thread(c, "T");
	tfd = pidfd_of(t->tid, PIDFD_THREAD);
	expect_equal(details(c->pidfd, 0, &d), 0, "PIDFD_GET_INFO of C",
		     "pidfd_info()");
	expect_who(&d, c->pid, c->pid, r->pid);
	expect_equal(details(tfd, 0, &d), 0, "PIDFD_GET_INFO of T",
		     "pidfd_info()");
	expect_who(&d, t->tid, c->pid, r->pid);

	step("C is in a user and group of each kind");
	expect_equal(ask(leader(c), order_ids, 0, 0), 0, "setresuid()",
		     "__sys_setresuid()");
	details(c->pidfd, 0, &d);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		same += d.ids[i] == wanted[i];
	expect(d.mask & CREDS_BIT, "pidfd_info(): get_task_cred()",
	       "PIDFD_INFO_CREDS, asked for or not");
	expect_equal(same, ARRAY_SIZE(wanted), "ids of eight that are right",
		     "pidfd_info(): from_kuid_munged()");

	step("C ends, R does not wait: still all of it, and R is its parent");
	exit_group(leader(c), 7);
	expect_wakeup(c->pidfd, "pidfd of C", "do_notify_pidfd()");
	expect_equal(details(c->pidfd, PIDFD_INFO_EXIT_BIT, &d), 0,
		     "PIDFD_GET_INFO of the zombie", "pidfd_info()");
	expect_who(&d, c->pid, c->pid, r->pid);
	expect(!(d.mask & PIDFD_INFO_EXIT_BIT) && d.ids[2] == 60012,
	       "pidfd_info(): the task is there, its exit_info is not",
	       "mask %#llx, euid %u", (unsigned long long)d.mask, d.ids[2]);

	step("reaped: nothing of it is left but what was asked for, the exit");
	expect_wait(leader(r), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "wait_task_zombie()");
	expect_equal(details(c->pidfd, 0, &d), -ESRCH,
		     "PIDFD_GET_INFO of the reaped", "pidfd_info(): no task");
	if (details(c->pidfd, PIDFD_INFO_EXIT_BIT | CREDS_BIT, &d)) {
		note("this kernel tells nothing of the reaped (6.15 does)");
		return;
	}
	expect(!d.pid && !d.tgid && !d.ppid && !d.ids[2] &&
		       !(d.mask & (PIDFD_INFO_PID_BIT | CREDS_BIT)),
	       "pidfd_info(): goto copy_out",
	       "mask %#llx, pid %u, euid %u (expected neither)",
	       (unsigned long long)d.mask, d.pid, d.ids[2]);
}

static const char *const watches[] = {
	"cdda1f26e74b (\"pidfd: add ioctl to retrieve pid info\")",
	"7477d7dce48a (\"pidfs: allow to retrieve exit information\")", NULL
};

SCENARIO(all_fields) = {
	.name = "pidfd-details",
	.summary =
		"PIDFD_GET_INFO of the living, of a thread, of a zombie, of the reaped",
	.needs = NEED_ROOT,
	.watches = watches,
	.rows = "PF4 PF5",
	.play = fields,
};

/* A cgroup of v2 is known by the number of its folder. */
static void cgroup(void)
{
	struct pidfd_details d;
	struct stat st;
	struct actor *p;
	const char *f;

	step("P is in a cgroup: its pidfd says which");
	need_info();
	f = cgroup_make("");
	p = spawn("P");
	cgroup_put(f, p);
	if (stat(f, &st) < 0)
		broken("cannot look at %s: %m", f);
	details(p->pidfd, 0, &d);
	expect(d.mask & CGROUPID_BIT && d.cgroup == st.st_ino,
	       "pidfd_info(): task_dfl_cgroup()",
	       "cgroupid %llu (expected %llu)", (unsigned long long)d.cgroup,
	       (unsigned long long)st.st_ino);

	step("P is reaped, the cgroup removed: it still does");
	exit_group(leader(p), 7);
	reap(p);
	expect(await_true(cgroup_removed, (void *)f, AWAIT_MS),
	       "cgroup_destroy_locked()", "the cgroup is gone");
	if (details(p->pidfd, PIDFD_INFO_EXIT_BIT, &d)) {
		note("this kernel tells nothing of the reaped (6.15 does)");
		return;
	}
	expect(d.mask & CGROUPID_BIT && d.cgroup == st.st_ino,
	       "pidfs_exit(): the cgroup it ended in",
	       "cgroupid %llu (expected %llu)", (unsigned long long)d.cgroup,
	       (unsigned long long)st.st_ino);
}

SCENARIO(pidfd_details_cgroup) = {
	.name = "pidfd-details-cgroup",
	.summary =
		"PIDFD_GET_INFO tells the cgroup, also when that and the process are gone",
	.needs = NEED_ROOT,
	.watches = watches,
	.rows = "PF4.1 A11",
	.play = cgroup,
};

/* --- whom ---------------------------------------------------------------- */

static int64_t order_info(const struct order *o)
{
	struct pidfd_details d;
	int err = details(o->fd, 0, &d);

	return err ? err : (int64_t)d.pid;
}

static void expect_answer(struct actor *by, struct actor *of, int64_t wanted,
			  const char *why)
{
	int64_t seen = 0;
	int err = thread_tell(leader(by), order_info, of->pidfd, 0, 0);
	char what[64];

	if (!err)
		err = thread_result(leader(by), AWAIT_MS, &seen);
	if (err)
		broken("%s does not answer: %d", by->name, err);
	snprintf(what, sizeof(what), "pid of %s, by its pidfd, for %s",
		 of->name, by->name);
	expect_equal(seen, wanted, what, why);
}

static void neighbours(void)
{
	const char *no = "pidfd_info(): pid_in_current_pidns()";
	struct actor *i, *k, *n, *c, *m;
	/* Commit ab89060fbc92, 7.0, and stable kernels: asked of the kernel. */
	int64_t remote = -EREMOTE;
	int err;

	step("I and K are inits beside each other, N is one below I");
	need_info();
	i = pidns_init("I");
	k = pidns_init("K");
	n = spawn_clone(i, "N", CLONE_NEWPID, SIGCHLD);
	c = spawn_by(i, "C");
	m = spawn_by(n, "M");

	step("each sees itself and who is below, by the numbers of its own");
	expect_answer(i, i, 1, "pid_in_current_pidns(): my own namespace");
	expect_answer(i, n, pidns_inner(leader(n), 1),
		      "pid_in_current_pidns(): a level below");
	expect_answer(i, m, pidns_inner(leader(m), 1),
		      "pid_in_current_pidns(): a level below");
	expect_answer(n, m, 2, "pid_in_current_pidns(): my own namespace");

	step("nobody sees who is above or beside");
	err = thread_tell(leader(i), order_info, k->pidfd, 0, 0);
	if (!err)
		err = thread_result(leader(i), AWAIT_MS, &remote);
	if (err)
		broken("I does not answer: %d", err);
	expect(remote == -EREMOTE || (kernel_before(7, 0) &&
				      (remote == -EINVAL || remote == -ESRCH)),
	       no, "PIDFD_GET_INFO of K by I: %lld (expected %d)",
	       (long long)remote, -EREMOTE);
	expect_answer(k, i, remote, no);
	expect_answer(k, m, remote, no);
	expect_answer(n, c, remote, no);
	expect_answer(n, i, remote, no);
	expect_answer(m, k, remote, no);
}

SCENARIO(pidfd_details_remote) = {
	.name = "pidfd-details-remote",
	.summary =
		"PIDFD_GET_INFO between pid namespaces: below, above, and beside",
	.needs = NEED_ROOT,
	.rows = "PF3 A12",
	.play = neighbours,
};

#define SUPPORTED_BIT (1ULL << 5)

/* The struct of 88 bytes (7.2): word 10 is what the kernel can tell. */
static void supported(struct actor *p)
{
	const uint64_t base = PIDFD_INFO_PID_BIT | CREDS_BIT | CGROUPID_BIT |
			      PIDFD_INFO_EXIT_BIT | SUPPORTED_BIT;
	uint64_t words[11] = { SUPPORTED_BIT };
	unsigned long request = _IOWR(0xff, 11, uint64_t[11]);
	int err = ioctl(p->pidfd, request, words) ? -errno : 0;

	if ((err || !(words[0] & SUPPORTED_BIT)) && kernel_before(7, 2)) {
		note("no PIDFD_INFO_SUPPORTED_MASK here (7.2 has it)");
		return;
	}
	expect(words[0] & SUPPORTED_BIT && (words[10] & base) == base,
	       "pidfd_info(): PIDFD_INFO_SUPPORTED",
	       "mask %#llx, supported_mask %#llx (expected %#llx in it)",
	       (unsigned long long)words[0], (unsigned long long)words[10],
	       (unsigned long long)base);
	words[0] = 0;
	words[10] = 0;
	err = ioctl(p->pidfd, request, words) ? -errno : 0;
	expect(!err && !(words[0] & SUPPORTED_BIT) && !words[10],
	       "pidfd_info(): only when asked for",
	       "not asked for: mask %#llx, supported_mask %#llx",
	       (unsigned long long)words[0], (unsigned long long)words[10]);
}

static void arguments(void)
{
	struct pidfd_details d = { 0 };
	struct actor *p;
	int err;

	step("no struct, one that is too small, one that is not there");
	need_info();
	p = spawn("P");
	err = ioctl(p->pidfd, _IOWR(0xff, 11, struct pidfd_details), NULL) ?
		      -errno :
		      0;
	expect_equal(err, -EINVAL, "PIDFD_GET_INFO of NULL", "pidfd_info()");
	err = ioctl(p->pidfd, _IOWR(0xff, 11, uint64_t), &d) ? -errno : 0;
	expect(err == -EINVAL || err == -ENOTTY,
	       "pidfs_ioctl_valid(), or pidfd_info(): no smaller struct",
	       "PIDFD_GET_INFO of 8 bytes: %d", err);
	err = ioctl(p->pidfd, _IOWR(0xff, 11, struct pidfd_details), 8) ?
		      -errno :
		      0;
	expect_equal(err, -EFAULT, "PIDFD_GET_INFO of a bad address",
		     "pidfd_info(): copy_from_user()");

	step("what the kernel can tell");
	supported(p);

	step("the core dump that it would make, as it is dumpable or not");
	details(p->pidfd, PIDFD_INFO_COREDUMP_BIT, &d);
	if (kernel_before(6, 16)) {
		note("no PIDFD_INFO_COREDUMP here (6.16 has it)");
		return;
	}
	expect(d.mask & PIDFD_INFO_COREDUMP_BIT &&
		       !(d.mask & (PIDFD_INFO_SIGNAL_BIT | PIDFD_INFO_CODE_BIT)),
	       "pidfd_info(): asked for, and no signal has made it dump",
	       "mask %#llx", (unsigned long long)d.mask);
	expect_equal(d.coredump_mask, 4, "coredump_mask: PIDFD_COREDUMP_USER",
		     "pidfs_coredump_mask()");
	ask(leader(p), order_prctl, PR_SET_DUMPABLE, 0);
	details(p->pidfd, PIDFD_INFO_COREDUMP_BIT, &d);
	expect_equal(d.coredump_mask, 2, "coredump_mask: PIDFD_COREDUMP_SKIP",
		     "pidfs_coredump_mask()");
	details(p->pidfd, 0, &d);
	expect(!d.coredump_mask && !(d.mask & PIDFD_INFO_COREDUMP_BIT),
	       "pidfd_info(): only when asked for",
	       "not asked for: mask %#llx, coredump_mask %#x",
	       (unsigned long long)d.mask, d.coredump_mask);
}

SCENARIO(pidfd_details_arguments) = {
	.name = "pidfd-details-arguments",
	.summary = "PIDFD_GET_INFO: bad arguments, and how it would dump core",
	.needs = NEED_ROOT,
	.rows = "A13",
	.play = arguments,
};
