// SPDX-License-Identifier: GPL-2.0
/*
 * A core dump through a pipe: the process waits for a helper that does not read,
 * and again for its end. The helper is this program; it does what the story
 * says.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core-pattern.h"
#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

#define HELPER "undead-dump-helper"

#define PF_DUMPCORE 0x200

/* --- the helper --------------------------------------------------------- */

static socklen_t address_of(struct sockaddr_un *a, const char *name)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* Abstract: nothing to remove. */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)snprintf(a->sun_path + 1,
					    sizeof(a->sun_path) - 1, "%s",
					    name));
}

static int64_t read_all(void)
{
	static char buf[65536];
	int64_t sum = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		sum += n;
	return n < 0 ? -errno : sum;
}

/* Before main(): "/proc/PID/exe HELPER NAME", run by the kernel. */
static void __attribute__((constructor)) help(int argc, char **argv)
{
	struct sockaddr_un a;
	int64_t sum = 0;
	char order;
	int s;

	if (argc != 3 || strcmp(argv[1], HELPER))
		return;
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (s < 0 ||
	    connect(s, (struct sockaddr *)&a, address_of(&a, argv[2])) < 0)
		_exit(1);
	/* 'r': read; anything else, or the end of the runner: end. */
	while (send(s, &sum, sizeof(sum), MSG_NOSIGNAL) > 0 &&
	       recv(s, &order, 1, 0) == 1 && order == 'r')
		sum = read_all();
	_exit(0);
}

/* --- the runner --------------------------------------------------------- */

static int listener = -1;

static void use_helper(void)
{
	char pattern[128], name[32];
	struct sockaddr_un a;

	snprintf(name, sizeof(name), "undead-%d", getpid());
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&a, address_of(&a, name)) < 0 ||
	    listen(listener, 4) < 0)
		broken("cannot listen: %m");
	snprintf(pattern, sizeof(pattern), "|/proc/%d/exe " HELPER " %s",
		 getpid(), name);
	core_pattern(pattern);
}

/* The helper of a dump that has begun; returns when it obeys. */
static int meet_helper(void)
{
	int64_t sum;
	int s;

	if (!await_readable(listener, AWAIT_MS))
		broken("the kernel runs no helper");
	s = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (s < 0 || !await_readable(s, AWAIT_MS) ||
	    recv(s, &sum, sizeof(sum), 0) != sizeof(sum))
		broken("the helper does not obey: %m");
	return s;
}

/* How much it has read: the whole dump. */
static int64_t let_read(int helper)
{
	int64_t sum = -1;

	if (send(helper, "r", 1, MSG_NOSIGNAL) != 1 ||
	    !await_readable(helper, AWAIT_MS) ||
	    recv(helper, &sum, sizeof(sum), 0) != sizeof(sum))
		broken("the helper does not read: %m");
	return sum;
}

/*
 * SIGABRT and SIGUSR1 at once: the first is taken, the other stays pending, and
 * would interrupt every write to the pipe.
 */
static int64_t order_dump(const struct order *o)
{
	static const int sigs[] = { SIGABRT, SIGUSR1 };
	/* Of no matter for a pipe. */
	struct rlimit none = { 0, 0 };
	sigset_t set;

	(void)o;
	setrlimit(RLIMIT_CORE, &none);
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		sigaddset(&set, sigs[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		syscall(SYS_tgkill, getpid(), gettid(), sigs[i]);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

static bool pending(struct actor *p, int sig)
{
	struct proc_status st;

	if (proc_status(p->pid, 0, &st))
		broken("%s %d is gone", p->name, p->pid);
	return st.shdpnd >> (sig - 1) & 1;
}

/* P with a parked thread T; the leader dumps and waits for the helper. */
static struct actor *dumping(int *helper)
{
	struct actor *p = spawn("P");
	struct thread *t = thread(p, "T");
	int64_t flags = 0;
	/* Commit b8e753128ed0 ("exit: Sleep at TASK_IDLE when waiting for
	 * application core dump"), 6.12, and stable kernels since 2026.
	 */
	char seen;

	ask(leader(p), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	tell(leader(p), order_dump, 0, 0);
	*helper = meet_helper();
	expect_asleep_in(leader(p), "coredump", "pipe_write(): nobody reads");
	proc_stat_field(p->pid, p->pid, 9, &flags);
	expect(flags & PF_DUMPCORE, "zap_threads(): PF_DUMPCORE",
	       "flags of P: %#llx", (unsigned long long)flags);
	expect_state(leader(p), 'S', "pipe_write(): interruptible");
	expect_asleep_in(t, "do_exit", "coredump_task_exit()");
	seen = await_state(p->pid, t->tid, 'I',
			   kernel_before(6, 12) ? 0 : AWAIT_MS);
	expect(seen == 'I' || (kernel_before(6, 12) && seen == 'D'),
	       "coredump_task_exit(): TASK_IDLE, before 6.12 uninterruptible",
	       "T %d is %c", t->tid, seen);
	expect_no_sigchld(p, "nobody has got to exit_notify()");
	expect_no_wakeup(p->pidfd, "pidfd of P", "pidfd_poll(): no exit_state");
	return p;
}

static void waits(void)
{
	struct actor *p;
	int helper;

	use_helper();
	step("P dumps into a pipe, and the helper does not read: it waits");
	p = dumping(&helper);
	expect_verdict(p);
	send_signal(p, SIGTERM);
	expect(!pending(p, SIGTERM),
	       "prepare_signal(): core_state lets SIGKILL in only",
	       "SIGTERM pending for P: %s", pending(p, SIGTERM) ? "yes" : "no");

	step("the helper reads it all: P waits for the helper's end");
	expect(let_read(helper) > 65536,
	       "zap_threads(): TIF_SIGPENDING is cleared; elf_core_dump()",
	       "the helper has read more than a pipe holds");
	expect_asleep_in(leader(p), "coredump", "wait_for_dump_helpers()");
	expect_no_sigchld(p, "nobody has got to exit_notify()");

	step("the helper ends: P is dead, and has dumped");
	close(helper);
	expect_death(p, SIGABRT | 0x80, "coredump_finish(): 0x80");
}

SCENARIO(dump_helper) = {
	.name = "dump-helper",
	.summary =
		"a core dump waits for its helper to read, and to end; SIGTERM is lost",
	.rows = "CD3.1 CD5 DE2.1 A61",
	.needs = NEED_ROOT | NEED_VM,
	.verdict = "core-dump",
	.play = waits,
};

static void killed(void)
{
	struct actor *p;
	int helper;

	use_helper();
	step("P dumps into a pipe, and the helper does not read; P is killed");
	p = dumping(&helper);
	send_signal(p, SIGKILL);
	expect_death(p, SIGKILL, "dump_interrupted(): no more of it");
	expect(let_read(helper) > 0, "pipe_write()",
	       "the helper gets what was written");
	close(helper);

	step("P has dumped all and waits for the helper's end; P is killed");
	p = dumping(&helper);
	expect(let_read(helper) > 65536, "elf_core_dump()",
	       "the helper has read more than a pipe holds");
	expect_asleep_in(leader(p), "coredump", "wait_for_dump_helpers()");
	send_signal(p, SIGKILL);
	expect_death(p, SIGKILL,
		     "coredump_finish(): a fatal signal is pending, no 0x80");
	close(helper);
}

SCENARIO(dump_helper_killed) = {
	.name = "dump-helper-killed",
	.summary =
		"SIGKILL while a core dump waits for its helper: the core bit is not set",
	.rows = "CD3.2 A61",
	.needs = NEED_ROOT | NEED_VM,
	.play = killed,
};
