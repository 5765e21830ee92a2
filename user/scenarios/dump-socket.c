// SPDX-License-Identifier: GPL-2.0
/*
 * A core dump to a socket (6.16): the process waits for a server that does not
 * read, and again until that hangs up. A pidfd tells of this dump, and of no
 * other kind.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core-pattern.h"
#include "../core/await.h"
#include "../core/pidfd.h"
#include "../scenario.h"

/* PIDFD_COREDUMPED, PIDFD_COREDUMP_USER */
#define DUMPED  (1U << 0)
#define AS_USER (1U << 2)

static int listener = -1;

static void need_sockets(void)
{
	if (kernel_before(6, 16))
		skip("no core dumps to a socket: commit 1d8db6fd698d (\"pidfs, coredump: add PIDFD_INFO_COREDUMP\"), 6.16");
}

static void serve(void)
{
	static struct sockaddr_un a = { .sun_family = AF_UNIX };
	char pattern[128];

	snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/undead-%d.socket",
		 getpid());
	at_end_remove(a.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(listener, 4) < 0)
		broken("cannot listen: %m");
	snprintf(pattern, sizeof(pattern), "@%s", a.sun_path);
	core_pattern(pattern);
}

static int64_t order_abort(const struct order *o)
{
	(void)o;
	abort();
}

/* P with a parked thread T; the leader dumps, and @server does not read. */
static struct actor *dumping(int *server)
{
	struct actor *p = spawn("P");
	struct thread *t = thread(p, "T");

	tell(leader(p), order_abort, 0, 0);
	if (!await_readable(listener, AWAIT_MS))
		broken("the kernel does not connect");
	*server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (*server < 0)
		broken("cannot accept: %m");
	expect_asleep_in(leader(p), "coredump",
			 "unix_stream_sendmsg(): nobody reads");
	expect_state(leader(p), 'S', "unix_stream_sendmsg(): interruptible");
	expect_asleep_in(t, "do_exit", "coredump_task_exit()");
	expect_no_sigchld(p, "nobody has got to exit_notify()");
	expect_no_wakeup(p->pidfd, "pidfd of P", "pidfd_poll(): no exit_state");
	return p;
}

/* With this much in the answer besides. */
static void expect_told(struct actor *p, uint64_t asked, const char *why)
{
	struct pidfd_details d = { .mask = asked | PIDFD_INFO_COREDUMP_BIT };
	int err = pidfd_details(p->pidfd, &d);

	expect(!err && (d.mask & asked) == asked &&
		       d.mask & PIDFD_INFO_COREDUMP_BIT &&
		       d.coredump_mask == (DUMPED | AS_USER),
	       why,
	       "PIDFD_GET_INFO of P: %d, mask %#llx, coredump_mask %#x (expected %#x)",
	       err, (unsigned long long)d.mask, d.coredump_mask,
	       DUMPED | AS_USER);
	if (!(d.mask & PIDFD_INFO_SIGNAL_BIT)) {
		note("which signal it was is not told here (6.19 does)");
		return;
	}
	expect_equal(d.coredump_signal, SIGABRT, "coredump_signal",
		     "pidfs_coredump(): si_signo");
	if (d.mask & PIDFD_INFO_CODE_BIT)
		expect_equal(d.coredump_code, SI_TKILL, "coredump_code",
			     "pidfs_coredump(): si_code");
}

/* Until the kernel shuts down its end. */
static size_t read_all(int server)
{
	static char buf[65536];
	size_t sum = 0;
	ssize_t n;

	while (await_readable(server, AWAIT_MS) &&
	       (n = read(server, buf, sizeof(buf))) > 0)
		sum += (size_t)n;
	return sum;
}

static void waits(void)
{
	struct pidfd_details d = { .mask = PIDFD_INFO_EXIT_BIT };
	struct actor *p;
	int server, err;

	need_sockets();
	serve();
	step("P dumps to a socket, and the server does not read: it waits");
	p = dumping(&server);
	expect_verdict(p);
	expect_told(p, 0, "pidfs_coredump(): before it connects");

	step("the server reads it all: P waits until it hangs up");
	expect(read_all(server) > 65536, "coredump_write()",
	       "the server has read more than its buffer holds");
	expect_asleep_in(leader(p), "coredump", "coredump_sock_wait()");
	expect_no_sigchld(p, "nobody has got to exit_notify()");

	step("it does: P is dead, and has dumped; its pidfd goes on saying so");
	close(server);
	expect_death(p, SIGABRT | 0x80, "coredump_finish(): 0x80");
	expect_told(p, PIDFD_INFO_EXIT_BIT, "pidfd_info(): of the reaped, too");
	err = pidfd_details(p->pidfd, &d);
	expect(!err && !(d.mask & PIDFD_INFO_COREDUMP_BIT) && !d.coredump_mask,
	       "pidfd_info(): only when asked for",
	       "not asked for: %d, mask %#llx, coredump_mask %#x", err,
	       (unsigned long long)d.mask, d.coredump_mask);
}

SCENARIO(dump_socket) = {
	.name = "dump-socket",
	.summary =
		"a core dump to a socket waits for its server; pidfds tell of it",
	.rows = "CD3.1 A13",
	.needs = NEED_ROOT | NEED_VM,
	.verdict = "core-dump",
	.play = waits,
};

static void killed(void)
{
	struct actor *p;
	int server;

	need_sockets();
	serve();
	step("P dumps to a socket, and the server does not read; P is killed");
	p = dumping(&server);
	send_signal(p, SIGKILL);
	expect_death(p, SIGKILL,
		     "dump_interrupted(), coredump_finish(): no 0x80");
	expect_told(p, PIDFD_INFO_EXIT_BIT,
		    "pidfs_coredump(): it had begun, which is all it says");
	close(server);
}

SCENARIO(dump_socket_killed) = {
	.name = "dump-socket-killed",
	.summary =
		"SIGKILL while a core dump waits for its server: wait tells of no dump, the pidfd does",
	.rows = "CD3.2 A13",
	.needs = NEED_ROOT | NEED_VM,
	.play = killed,
};
