// SPDX-License-Identifier: GPL-2.0
/*
 * What waitid() and wait4() write to user space: what they say they do and not
 * a byte more; and what becomes of a child when they cannot write it.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../scenario.h"

#define POISON   0xa5
#define SOMEBODY 60123

static const char *const written =
	"waitid(): writes six fields of siginfo, whatever has happened";

/* What one call has left in memory that was poisoned before. */
struct answer {
	long ret;
	siginfo_t si;
	struct rusage ru;
};

static struct answer call_waitid(struct actor *c, int options)
{
	struct answer a;

	memset(&a, POISON, sizeof(a));
	a.ret = syscall(SYS_waitid, P_PID, c->pid, &a.si, options, &a.ru);
	if (a.ret < 0)
		a.ret = -errno;
	return a;
}

static bool poisoned(const void *p, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (((const unsigned char *)p)[i] != POISON)
			return false;
	return true;
}

static void expect_answer(struct actor *c, const struct answer *a, long ret,
			  int code, int status)
{
	const size_t end = offsetof(siginfo_t, si_status) + sizeof(int);
	const size_t code_end = offsetof(siginfo_t, si_code) + sizeof(int);
	const siginfo_t *si = &a->si;
	bool none = poisoned(&a->ru, 0, sizeof(a->ru));

	expect(a->ret == ret && si->si_signo == (code ? SIGCHLD : 0) &&
		       !si->si_errno && si->si_code == code &&
		       si->si_pid == (code ? c->pid : 0) &&
		       si->si_uid == (code ? SOMEBODY : 0) &&
		       si->si_status == status,
	       written,
	       "waitid(): %ld, signo %d, errno %d, code %d, pid %d, uid %u, status %d",
	       a->ret, si->si_signo, si->si_errno, si->si_code, si->si_pid,
	       si->si_uid, si->si_status);
	expect(poisoned(si, code_end, offsetof(siginfo_t, si_pid)) &&
		       poisoned(si, end, sizeof(*si)),
	       written, "nothing else in siginfo was written");
	expect(none == !code, "waitid(): rusage with an event, only then",
	       "rusage was %s", none ? "not written" : "written");
	if (code)
		expect(a->ru.ru_minflt > 0 && a->ru.ru_minflt < 1000000,
		       "getrusage(RUSAGE_BOTH)", "ru_minflt %ld",
		       a->ru.ru_minflt);
}

static void what_is_written(void)
{
	struct actor *c;
	struct answer a;

	step("no event: C, of another user, is alive");
	c = spawn("C");
	expect_equal(ask(leader(c), order_setuid, SOMEBODY, 0), 0, "setuid()",
		     "sys_setuid()");
	a = call_waitid(c, WEXITED | WNOHANG);
	expect_answer(c, &a, 0, 0, 0);

	step("C has stopped, C goes on");
	send_signal(c, SIGSTOP);
	a = call_waitid(c, WSTOPPED);
	expect_answer(c, &a, 0, CLD_STOPPED, SIGSTOP);
	send_signal(c, SIGCONT);
	a = call_waitid(c, WCONTINUED);
	expect_answer(c, &a, 0, CLD_CONTINUED, SIGCONT);

	step("C has ended");
	exit_group(leader(c), 7);
	a = call_waitid(c, WEXITED | WNOWAIT);
	expect_answer(c, &a, 0, CLD_EXITED, 7);
	a = call_waitid(c, WEXITED);
	expect_answer(c, &a, 0, CLD_EXITED, 7);

	step("an error: there is no C any more");
	a = call_waitid(c, WEXITED);
	expect_answer(c, &a, -ECHILD, 0, 0);
}

static const char *const copy_watches[] = {
	"6c85501f2fab (\"fix infoleak in waitid(2)\")", NULL
};

SCENARIO(wait_copy) = {
	.name = "wait-copy",
	.summary =
		"what waitid() writes: with each kind of event, without one, after an error",
	.needs = NEED_ROOT,
	.watches = copy_watches,
	.rows = "A30",
	.play = what_is_written,
};

/* --- wait4() ------------------------------------------------------------ */

static void expect_status(struct actor *c, int options, int wanted,
			  const char *why)
{
	struct rusage ru = { 0 };
	int status = 0;
	long pid = syscall(SYS_wait4, c->pid, &status, options, &ru);

	expect(pid == c->pid && status == wanted && ru.ru_minflt > 0, why,
	       "wait4(%d, %#x): %ld, status %#x (expected %#x), ru_minflt %ld",
	       c->pid, (unsigned int)options, pid, (unsigned int)status,
	       (unsigned int)wanted, ru.ru_minflt);
}

static void statuses(void)
{
	struct actor *c, *k;

	step("wait4(): C stops, goes on, and exits");
	c = spawn("C");
	send_signal(c, SIGSTOP);
	expect_status(c, WUNTRACED, SIGSTOP << 8 | 0x7f,
		      "wait_task_stopped(): the signal, and 0x7f");
	send_signal(c, SIGCONT);
	expect_status(c, WCONTINUED, 0xffff, "wait_task_continued(): 0xffff");
	exit_group(leader(c), 7);
	expect_status(c, 0, 7 << 8, "wait_task_zombie()");

	step("K is traced and stops, and is killed");
	k = spawn("K");
	if (ptrace(PTRACE_SEIZE, k->pid, NULL, NULL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, k->pid, NULL, NULL) < 0)
		broken("cannot trace K: %m");
	expect_status(k, 0, PTRACE_EVENT_STOP << 16 | SIGTRAP << 8 | 0x7f,
		      "wait_task_stopped(): event and signal, and 0x7f");
	send_signal(k, SIGKILL);
	expect_status(k, WCONTINUED, SIGKILL, "wait_task_zombie()");
}

SCENARIO(wait_status) = {
	.name = "wait-status",
	.summary =
		"the status of wait4(): stopped, continued, exited, traced, killed",
	.rows = "KW1 WS1.1 WT1.1 WZ8",
	.play = statuses,
};

/* --- nowhere to write --------------------------------------------------- */

static struct actor *zombie(void)
{
	struct actor *c = spawn("C");

	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	return c;
}

static void expect_fault(struct actor *c, long ret, const char *call,
			 bool consumed)
{
	int err = errno;
	siginfo_t si;
	bool gone = waitid(P_PID, (id_t)c->pid, &si, WEXITED) < 0 &&
		    errno == ECHILD;

	expect(ret < 0 && err == EFAULT && gone == consumed,
	       consumed ? "wait_task_zombie() has run before the copy" :
			  "wait_task_zombie(): WNOWAIT",
	       "%s: %s, the child %s", call,
	       ret < 0 ? strerrorname_np(err) : "no error",
	       gone ? "is reaped" : "is there");
}

static void faults(void)
{
	void *bad = (void *)8, *kernel = (void *)-4096L;
	struct rusage ru;
	struct actor *c;
	siginfo_t si;
	int status;

	step("bad pointers: EFAULT, and the child is reaped all the same");
	c = zombie();
	expect_fault(c, syscall(SYS_waitid, P_PID, c->pid, bad, WEXITED, NULL),
		     "waitid(siginfo 8)", true);
	c = zombie();
	expect_fault(c,
		     syscall(SYS_waitid, P_PID, c->pid, kernel, WEXITED, NULL),
		     "waitid(siginfo in the kernel)", true);
	c = zombie();
	expect_fault(c, syscall(SYS_waitid, P_PID, c->pid, &si, WEXITED, bad),
		     "waitid(rusage 8)", true);
	c = zombie();
	expect_fault(c, syscall(SYS_wait4, c->pid, bad, 0, &ru),
		     "wait4(status 8)", true);
	c = zombie();
	expect_fault(c, syscall(SYS_wait4, c->pid, &status, 0, bad),
		     "wait4(rusage 8)", true);

	step("but not with WNOWAIT");
	c = zombie();
	expect_fault(c,
		     syscall(SYS_waitid, P_PID, c->pid, bad, WEXITED | WNOWAIT,
			     NULL),
		     "waitid(siginfo 8, WNOWAIT)", false);

	step("no pointer at all is no error: the child is reaped");
	c = zombie();
	expect_equal(syscall(SYS_waitid, P_PID, c->pid, NULL, WEXITED, NULL), 0,
		     "waitid(NULL)", "waitid(): no infop, no copy");
	expect_wait(NULL, c->pid, WEXITED, -ECHILD, "release_task()");
	c = zombie();
	expect_equal(syscall(SYS_wait4, c->pid, NULL, 0, NULL), c->pid,
		     "wait4(NULL)", "wait4(): no stat_addr, no copy");
	expect_wait(NULL, c->pid, WEXITED, -ECHILD, "release_task()");
}

static const char *const fault_watches[] = {
	"96ca579a1ecc (\"waitid(): Add missing access_ok() checks\")", NULL
};

SCENARIO(wait_fault) = {
	.name = "wait-fault",
	.summary =
		"a wait with bad pointers: EFAULT, and the child is reaped nevertheless",
	.watches = fault_watches,
	.rows = "A30",
	.play = faults,
};
