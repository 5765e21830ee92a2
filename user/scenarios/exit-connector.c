// SPDX-License-Identifier: GPL-2.0
/*
 * The connector of process events: each thread that ends is told once it is a
 * zombie or gone, with the code of its own, whatever wait() will say of the
 * process. And each that is traced.
 */
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../core/util.h"
#include "../scenario.h"

#define ROOM 8192

/**
 * struct told - of a thread
 * @what:  PROC_EVENT_EXIT or PROC_EVENT_PTRACE
 * @times: how often
 * @last:  what was said
 */
struct told {
	int sock;
	unsigned int what;
	pid_t tid;
	int times;
	struct proc_event last;
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

	/* The pid is the first of either. */
	if (n < NLMSG_LENGTH(sizeof(*m) + sizeof(*e)) || e->what != x->what ||
	    e->event_data.exit.process_pid != x->tid)
		return;
	x->times++;
	x->last = *e;
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
	struct told x = { .sock = sock, .what = PROC_EVENT_EXIT, .tid = t->tid };
	const struct exit_proc_event *last = &x.last.event_data.exit;

	await_true(told, &x, AWAIT_MS);
	expect_equal(x.times, 1, "PROC_EVENT_EXIT of it",
		     "do_exit(): proc_exit_connector()");
	expect_equal(last->process_tgid, t->actor->pid, "its process",
		     "proc_exit_connector(): task->tgid");
	expect_equal(last->exit_code, code, "its code", why);
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

static void expect_tracer_told(int sock, struct actor *c, pid_t tracer,
			       const char *why)
{
	struct told x = { .sock = sock,
			  .what = PROC_EVENT_PTRACE,
			  .tid = c->pid };

	await_true(told, &x, AWAIT_MS);
	expect_equal(x.times, 1, "PROC_EVENT_PTRACE of C", why);
	expect_equal(x.last.event_data.ptrace.tracer_pid, tracer,
		     "its tracer, 0: none any more", why);
}

static void traced(void)
{
	struct actor *c, *x;
	int sock;

	step("X begins to trace C, and lets it go");
	c = spawn("C");
	x = spawn("X");
	sock = listen_to_events();
	trace(leader(x), PTRACE_SEIZE, leader(c), 0);
	expect_tracer_told(sock, c, x->pid,
			   "ptrace_attach(): proc_ptrace_connector()");
	trace(leader(x), PTRACE_INTERRUPT, leader(c), 0);
	expect_wait(leader(x), c->pid, WSTOPPED,
		    WAITED(c->pid, CLD_TRAPPED,
			   PTRACE_EVENT_STOP << 8 | SIGTRAP),
		    "do_jobctl_trap()");
	trace(leader(x), PTRACE_DETACH, leader(c), 0);
	expect_tracer_told(sock, c, 0,
			   "ptrace_detach(): proc_ptrace_connector()");
	close(sock);
}

SCENARIO(tracer_connector) = {
	.name = "tracer-connector",
	.summary = "the connector tells who is traced, and who no more",
	.needs = NEED_ROOT | NEED_VM,
	.play = traced,
};
