// SPDX-License-Identifier: GPL-2.0
/*
 * Who sends by TCP keeps a page for what it sends next, until it ends; what was
 * sent outlives both.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../scenario.h"

#define BYTES 4000

/* A network namespace of its own, whose loopback is up. */
static int64_t order_network(const struct order *o)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	(void)o;
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
}

/* Sends to itself. Returns the end that has received nothing yet. */
static int64_t order_send(const struct order *o)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(at);
	static char data[BYTES];
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int from = socket(AF_INET, SOCK_STREAM, 0), to;

	(void)o;
	if (listener < 0 || from < 0 ||
	    bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &size) < 0 ||
	    connect(from, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	to = accept(listener, NULL, NULL);
	return to < 0 || send(from, data, BYTES, 0) != BYTES ? -errno : to;
}

static void play(void)
{
	static char data[BYTES];
	struct actor *p;
	int64_t fd;
	int ours;

	step("P sends %d bytes by TCP, that nobody has read, and ends", BYTES);
	p = spawn("P");
	fd = ask(leader(p), order_network, 0, 0);
	if (fd < 0)
		skip("no network namespaces here: %s", strerror((int)-fd));
	fd = ask(leader(p), order_send, 0, 0);
	if (fd < 0)
		skip("no TCP here: %s", strerror((int)-fd));
	ours = (int)syscall(SYS_pidfd_getfd, p->pidfd, (int)fd, 0);
	if (ours < 0)
		broken("pidfd_getfd(): %m");
	exit_group(leader(p), 7);
	expect_state(leader(p), 'Z', "do_exit(): put_page() of task_frag");
	expect_equal(recv(ours, data, BYTES, MSG_WAITALL), BYTES,
		     "bytes that P has sent",
		     "tcp_sendmsg(): they have pages of their own");
	expect_equal(recv(ours, data, 1, 0), 0, "bytes after that",
		     "do_exit(): exit_files()");
	expect_death(p, 7 << 8, "do_group_exit()");
	close(ours);
}

SCENARIO(exit_frag) = {
	.name = "exit-frag",
	.summary =
		"what a process has sent by TCP can be read when it is a zombie, to the last byte",
	.needs = NEED_ROOT,
	.play = play,
};
