// SPDX-License-Identifier: GPL-2.0
/*
 * A process that nobody ever had a pidfd of leaves no exit information, and no
 * pidfd of it can be had any more. To see that, one needs its number after it
 * was reaped: a member of its process group keeps it.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../core/pidfd.h"
#include "../scenario.h"

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

/*
 * The actors of a story have pidfds from their birth, so this is none: a child
 * that leads a process group with arg[0] in it.
 */
static int64_t order_fork_unseen(const struct order *o)
{
	pid_t us = getpid(), pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == us)
			pause();
		_exit(1);
	}
	if (pid < 0 || setpgid(pid, pid) < 0 ||
	    setpgid((pid_t)o->arg[0], pid) < 0)
		return -errno;
	return pid;
}

/* arg[1]: open a pidfd of the child arg[0], and close it; then it ends. */
static int64_t order_end(const struct order *o)
{
	pid_t pid = (pid_t)o->arg[0];
	int status;

	if (o->arg[1]) {
		int fd = pidfd_of(pid, 0);

		if (fd < 0)
			return fd;
		close(fd);
	}
	if (kill(pid, SIGKILL) < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return status;
}

/* A message in the name of @pid. */
static int send_as(int sock, pid_t pid)
{
	struct ucred creds = { .pid = pid };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(creds))];
	} control = { 0 };
	struct iovec iov = { "", 1 };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(creds));
	memcpy(CMSG_DATA(c), &creds, sizeof(creds));
	return sendmsg(sock, &m, 0) < 0 ? -errno : 0;
}

/* The pidfd of who sent it. */
static int receive_pidfd(int sock)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *c;
	int fd;

	if (recvmsg(sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_PIDFD)
		return -ENODATA;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* The exit code of the reaped arg[0], by a pidfd that a message brings. */
static int64_t order_code_of(const struct order *o)
{
	_cleanup_close_ int from = -1, to = -1, pidfd = -1;
	struct pidfd_details d = { .mask = PIDFD_INFO_EXIT_BIT };
	int pair[2], on = 1, err;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	from = pair[0];
	to = pair[1];
	if (setsockopt(to, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)) < 0)
		return -ENODATA;
	err = send_as(from, (pid_t)o->arg[0]);
	if (err)
		return err;
	pidfd = receive_pidfd(to);
	if (pidfd < 0)
		return -ENODATA;
	err = pidfd_details(pidfd, &d);
	if (err)
		return err;
	return d.mask & PIDFD_INFO_EXIT_BIT ? d.exit_code : -ENOENT;
}

/* What is told of a child of R that was killed and reaped. */
static int64_t code_of_reaped(struct actor *r, const char *member, bool opened)
{
	struct actor *q = spawn_by(r, member);
	int64_t pid = ask(leader(r), order_fork_unseen, q->pid, 0);
	int64_t status = -1;

	if (pid > 0)
		status = ask(leader(r), order_end, pid, opened);
	if (status != SIGKILL)
		broken("cannot make and kill a child of R: %lld, %lld",
		       (long long)pid, (long long)status);
	return ask(leader(r), order_code_of, pid, 0);
}

static void play(void)
{
	struct actor *r = spawn("R");
	int64_t code;

	step("a child of R is killed and reaped; it once had a pidfd, closed since");
	code = code_of_reaped(r, "Q", true);
	if (code == -ENODATA)
		skip("no SCM_PIDFD of a process that was reaped (6.17 has it)");
	expect_equal(code, SIGKILL, "exit code by a pidfd of the reaped",
		     "pidfs_exit(): there were attributes to keep it in");

	step("the same of one that never had any");
	code = code_of_reaped(r, "U", false);
	expect_equal(code, -ESRCH, "exit code by a pidfd of the reaped",
		     "pidfs_exit(): PIDFS_PID_DEAD, which pidfs_register_pid() refuses");
}

SCENARIO(pidfd_never) = {
	.name = "pidfd-never",
	.summary =
		"who never had a pidfd leaves no exit code, and has no pidfd after",
	.rows = "RT8",
	.needs = NEED_ROOT,
	.play = play,
};
