// SPDX-License-Identifier: GPL-2.0
/*
 * Process accounting, acct(2), of a pid namespace: who ends there is written
 * down, and with the namespace it ends, and lets go of its file.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/acct.h>
#include <signal.h>
#include <unistd.h>

#include "../core/await.h"
#include "../pidns.h"
#include "../scenario.h"

static char path[64];

static int64_t order_account(const struct order *o)
{
	(void)o;
	return acct(path) ? -errno : 0;
}

static bool written(void *fd)
{
	return lseek(*(int *)fd, 0, SEEK_END) >= (off_t)sizeof(struct acct_v3);
}

/* A lease for reading is not to be had of a file that is open for writing. */
static bool closed(void *fd)
{
	return !fcntl(*(int *)fd, F_SETLEASE, F_RDLCK);
}

static void play(void)
{
	_cleanup_close_ int fd = -1;
	struct actor *i, *c;

	step("the end of each process in the namespace of I is written down");
	snprintf(path, sizeof(path), "/tmp/undead-%d.acct", getpid());
	at_end_remove(path);
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		broken("cannot make %s: %m", path);
	if (!closed(&fd) || fcntl(fd, F_SETLEASE, F_UNLCK))
		skip("no lease of a file in /tmp: %m");
	i = pidns_init("I");
	c = spawn_by(i, "C");
	if (ask(leader(i), order_account, 0, 0) == -ENOSYS)
		skip("no process accounting in this kernel");
	exit_group(leader(c), 7);
	expect(await_true(written, &fd, AWAIT_MS), "do_exit(): acct_process()",
	       "a record of the end of C");
	expect(!closed(&fd), "acct_process(): it stays open",
	       "the file is open for writing");

	step("I is killed, which ends the namespace: the file is closed");
	send_signal(i, SIGKILL);
	expect_death(i, SIGKILL, "zap_pid_ns_processes()");
	expect(await_true(closed, &fd, AWAIT_MS),
	       "zap_pid_ns_processes(): acct_exit_ns()",
	       "the file is not open for writing any more");
}

SCENARIO(pidns_accounting) = {
	.name = "pidns-accounting",
	.summary =
		"process accounting of a pid namespace ends with it, and closes its file",
	.needs = NEED_ROOT,
	.play = play,
};
