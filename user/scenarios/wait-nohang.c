// SPDX-License-Identifier: GPL-2.0
/* Nobody has ended: who must not sleep comes back, and writes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../scenario.h"

#define UNTOUCHED 0x7777

/* A pidfd of arg[0], non-blocking. */
static int64_t order_pidfd(const struct order *o)
{
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)o->arg[0], 0);

	return fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : fd;
}

/* The status that wait4() has left. */
static int64_t order_wait4(const struct order *o)
{
	int status = UNTOUCHED;
	pid_t pid = wait4((pid_t)o->arg[0], &status, WNOHANG, NULL);

	return pid ? -errno : status;
}

static void play(void)
{
	struct actor *r, *c;
	int64_t fd;

	step("R has a child C, which lives, and asks for it without waiting");
	r = spawn("R");
	c = spawn_by(r, "C");
	tell(leader(r), order_wait, c->pid, WEXITED | WNOHANG);
	expect_wait_ends(leader(r), 0, "__do_wait(): WNOHANG");
	tell(leader(r), order_wait, 0, WEXITED | WNOHANG);
	expect_wait_ends(leader(r), 0, "__do_wait(): WNOHANG");
	expect_equal(ask(leader(r), order_wait4, c->pid, 0), UNTOUCHED,
		     "the status behind wait4()",
		     "kernel_wait4(): written with a pid only");

	step("the same by a non-blocking pidfd");
	fd = ask(leader(r), order_pidfd, c->pid, 0);
	if (fd < 0)
		broken("R cannot open a pidfd of C");
	tell(leader(r), order_wait, WHO(P_PIDFD, fd), WEXITED);
	expect_wait_ends(leader(r), -EAGAIN,
			 "kernel_waitid_prepare(): O_NONBLOCK");
}

static const char *const watches[] = {
	"ba7d25f3dff6 (\"exit: support non-blocking pidfds\")", NULL
};

SCENARIO(wait_nohang) = {
	.name = "wait-nohang",
	.summary =
		"WNOHANG and a non-blocking pidfd: the wait comes back, and writes nothing",
	.rows = "KW1 DW1",
	.watches = watches,
	.play = play,
};
