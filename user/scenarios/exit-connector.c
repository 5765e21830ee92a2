// SPDX-License-Identifier: GPL-2.0
/*
 * The connector of process events: each thread that ends is told once it is a
 * zombie or gone, with the code of its own, whatever wait() will say of the
 * process.
 */
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../core/util.h"
#include "../scenario.h"

#define ROOM 8192

/**
 * struct told - of the end of a thread
 * @times: how often
 * @last:  what was said
 */
struct told {
	int sock;
	pid_t tid;
	int times;
	struct exit_proc_event last;
};

static int listen_to_events(void)
{
	struct {
		struct nlmsghdr h;
		struct cn_msg m;
		enum proc_cn_mcast_op op;
	} __attribute__((packed)) ask = {
		.h = { .nlmsg_len = sizeof(ask), .nlmsg_type = NLMSG_DONE },
		.m = { .id = { CN_IDX_PROC, CN_VAL_PROC },
		       .len = sizeof(ask.op) },
		.op = PROC_CN_MCAST_LISTEN,
	};
	struct sockaddr_nl group = { .nl_family = AF_NETLINK,
				     .nl_groups = CN_IDX_PROC };
	int big = 1 << 20;
	int sock = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
			  NETLINK_CONNECTOR);

	if (!proc_in_first_pid_ns())
		skip("not in the initial pid name space: its numbers are other ones");
	if (sock < 0)
		skip("no connector: %m");
	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	if (bind(sock, (struct sockaddr *)&group, sizeof(group)) < 0 ||
	    send(sock, &ask, sizeof(ask), 0) != sizeof(ask))
		skip("cannot listen to process events: %m");
	return sock;
}

static void hear(struct told *x, const char *buf, size_t n)
{
	const struct nlmsghdr *h = (const void *)buf;
	const struct cn_msg *m = NLMSG_DATA(h);
	const struct proc_event *e = (const void *)m->data;

	if (n < NLMSG_LENGTH(sizeof(*m) + sizeof(*e)) ||
	    e->what != PROC_EVENT_EXIT ||
	    e->event_data.exit.process_pid != x->tid)
		return;
	x->times++;
	x->last = e->event_data.exit;
}

static bool told(void *arg)
{
	_Alignas(struct nlmsghdr) char buf[ROOM];
	struct told *x = arg;
	ssize_t n;

	while ((n = recv(x->sock, buf, sizeof(buf), MSG_DONTWAIT)) >= 0)
		hear(x, buf, (size_t)n);
	if (errno == ENOBUFS)
		broken("too many processes end here: messages were lost");
	return x->times;
}

static void expect_told(int sock, struct thread *t, int64_t code,
			const char *why)
{
	struct told x = { .sock = sock, .tid = t->tid };

	await_true(told, &x, AWAIT_MS);
	expect_equal(x.times, 1, "PROC_EVENT_EXIT of it",
		     "do_exit(): proc_exit_connector()");
	expect_equal(x.last.process_tgid, t->actor->pid, "its process",
		     "proc_exit_connector(): task->tgid");
	expect_equal(x.last.exit_code, code, "its code", why);
}

static void play(void)
{
	struct actor *p;
	struct thread *t;
	int sock;

	step("the leader of P ends by SYS_exit(3)");
	p = spawn("P");
	t = thread(p, "T");
	sock = listen_to_events();
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_told(sock, leader(p), 3 << 8, "task->exit_code");

	step("T ends with P, by exit_group(7): that is no news of the leader");
	exit_group(t, 7);
	expect_told(sock, t, 7 << 8, "task->exit_code");
	reap(p);

	step("Q is killed, and has a parent that is told by SIGCHLD");
	p = spawn("Q");
	send_signal(p, SIGKILL);
	expect_told(sock, leader(p), SIGKILL, "task->exit_code");
	expect_death(p, SIGKILL, "do_group_exit()");
	close(sock);
}

SCENARIO(exit_connector) = {
	.name = "exit-connector",
	.summary =
		"the connector tells of each thread that ends, with the thread's own code",
	/* Before 6.6 the kernel counts on, for ever, who listened once. */
	.needs = NEED_ROOT | NEED_VM,
	.play = play,
};
