// SPDX-License-Identifier: GPL-2.0
/*
 * taskstats: who listens to the exits of a CPU gets the account of each thread
 * that ends, and with that of the last one of several the sum of its process.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/taskstats.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../core/util.h"
#include "../scenario.h"

#define ROOM 8192

static int sock = -1;

/* An attribute of a message, or NULL. */
static const struct nlattr *attribute(const void *from, size_t size, int type)
{
	for (size_t at = 0; at + sizeof(struct nlattr) <= size;) {
		const struct nlattr *a =
			(const void *)((const char *)from + at);

		if (a->nla_len < sizeof(*a) || at + a->nla_len > size)
			return NULL;
		if (a->nla_type == type)
			return a;
		at += NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

static const void *value(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

static size_t size_of(const struct nlattr *a)
{
	return (size_t)a->nla_len - NLA_HDRLEN;
}

/* One attribute, a text. */
static int send_text(uint16_t family, uint8_t command, uint16_t type,
		     const char *text)
{
	struct {
		struct nlmsghdr h;
		struct genlmsghdr g;
		struct nlattr a;
		char text[64];
	} m = {
		.h = { .nlmsg_type = family,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.g = { .cmd = command, .version = 1 },
		.a = { .nla_type = type },
	};

	snprintf(m.text, sizeof(m.text), "%s", text);
	m.a.nla_len = (uint16_t)(NLA_HDRLEN + strlen(m.text) + 1);
	m.h.nlmsg_len =
		NLMSG_LENGTH(GENL_HDRLEN) + NLA_ALIGN((uint32_t)m.a.nla_len);
	return send(sock, &m, m.h.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* The next message, to its attributes. Return: their size, or -errno. */
static ssize_t receive(char *buf, const void **attributes)
{
	const struct nlmsghdr *h = (const void *)buf;
	ssize_t n = recv(sock, buf, ROOM, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if (n < (ssize_t)NLMSG_HDRLEN || h->nlmsg_len > (size_t)n)
		return -EBADMSG;
	if (h->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)(const void *)NLMSG_DATA(h))
			->error;
	*attributes = (const char *)NLMSG_DATA(h) + GENL_HDRLEN;
	return (ssize_t)NLMSG_PAYLOAD(h, GENL_HDRLEN);
}

/* The kernel answers before send() comes back. */
static int number_of_family(uint16_t *family)
{
	_Alignas(struct nlmsghdr) char buf[ROOM];
	const struct nlattr *a = NULL;
	const void *attributes;
	ssize_t n;
	int err = send_text(GENL_ID_CTRL, CTRL_CMD_GETFAMILY,
			    CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME);

	if (err)
		return err;
	n = receive(buf, &attributes);
	if (n > 0)
		a = attribute(attributes, (size_t)n, CTRL_ATTR_FAMILY_ID);
	if (!a)
		return n < 0 ? (int)n : -EBADMSG;
	memcpy(family, value(a), sizeof(*family));
	return (int)receive(buf, &attributes);
}

static void listen_to_exits(void)
{
	_Alignas(struct nlmsghdr) char buf[ROOM];
	const void *attributes;
	uint16_t family = 0;
	char cpus[32];
	int err, big = 1 << 20;

	if (!proc_in_first_pid_ns())
		skip("not in the initial pid name space: its numbers are other ones");
	sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (sock < 0)
		skip("no generic netlink: %m");
	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	err = number_of_family(&family);
	if (err)
		skip("no taskstats: %s", strerror(-err));
	snprintf(cpus, sizeof(cpus), "0-%ld",
		 sysconf(_SC_NPROCESSORS_CONF) - 1);
	err = send_text(family, TASKSTATS_CMD_GET,
			TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, cpus);
	if (!err)
		err = (int)receive(buf, &attributes);
	if (err)
		skip("cannot register with taskstats: %s", strerror(-err));
}

/**
 * struct told - what was heard of a thread and its process
 * @records: of the thread
 * @sums:    of the process, beside one of these
 */
struct told {
	pid_t tid, tgid;
	int records, sums;
};

static void hear(struct told *x, const void *attributes, size_t size)
{
	const struct nlattr *one =
		attribute(attributes, size, TASKSTATS_TYPE_AGGR_PID);
	const struct nlattr *all =
		attribute(attributes, size, TASKSTATS_TYPE_AGGR_TGID);
	const struct nlattr *a;
	uint32_t pid = 0;

	a = one ? attribute(value(one), size_of(one), TASKSTATS_TYPE_PID) :
		  NULL;
	if (a)
		memcpy(&pid, value(a), sizeof(pid));
	if ((pid_t)pid != x->tid)
		return;
	x->records++;
	a = all ? attribute(value(all), size_of(all), TASKSTATS_TYPE_TGID) :
		  NULL;
	pid = 0;
	if (a)
		memcpy(&pid, value(a), sizeof(pid));
	x->sums += (pid_t)pid == x->tgid;
}

static bool told(void *arg)
{
	_Alignas(struct nlmsghdr) char buf[ROOM];
	struct told *x = arg;
	const void *attributes;
	ssize_t n;

	while ((n = receive(buf, &attributes)) >= 0)
		hear(x, attributes, (size_t)n);
	if (n == -ENOBUFS)
		broken("too many processes end here: messages were lost");
	return x->records;
}

static void expect_told(struct thread *t, int sums, const char *why)
{
	struct told x = { .tid = t->tid, .tgid = t->actor->pid };

	await_true(told, &x, AWAIT_MS);
	expect_equal(x.records, 1, "records of it",
		     "do_exit(): taskstats_exit()");
	expect_equal(x.sums, sums, "sums of its process", why);
}

static void play(void)
{
	struct actor *p;
	struct thread *t;

	step("T, a thread of P, ends");
	p = spawn("P");
	t = thread(p, "T");
	listen_to_exits();
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");
	expect_told(t, 0, "taskstats_exit(): group_dead is false");

	step("so does the leader, the last of P");
	exit_thread(leader(p), 3);
	expect_told(leader(p), 1, "taskstats_exit(): group_dead");

	expect_death(p, 3 << 8, "synchronize_group_exit()");

	step("Q, which never had a thread: there is no sum");
	p = spawn("Q");
	exit_group(leader(p), 7);
	expect_told(leader(p), 0,
		    "taskstats_tgid_alloc(): thread_group_empty()");
	expect_death(p, 7 << 8, "do_group_exit()");
}

SCENARIO(exit_taskstats) = {
	.name = "exit-taskstats",
	.summary =
		"a listener of taskstats is told of each thread that ends, and of the process with the last",
	.needs = NEED_ROOT,
	.play = play,
};
