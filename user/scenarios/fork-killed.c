// SPDX-License-Identifier: GPL-2.0
/*
 * A process group is killed while a thread in it forks and forks: nobody gets
 * away, as fork() fails when a signal to the group has come before the child is
 * there to get it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/actor.h"
#include "../core/await.h"
#include "../scenario.h"

#define ROUNDS   20
#define ENOUGH   5
#define CHILDREN 400

/* A child that ends with the thread that made it, and not by SIGKILL. */
static void __attribute__((noreturn)) be_child(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(1);
	for (;;)
		pause();
}

/* Says so by @fd when there are enough to begin, and goes on. */
static int64_t order_fork_on(const struct order *o)
{
	pid_t self = getpid();

	for (int i = 1; i <= CHILDREN; i++) {
		pid_t pid = fork();

		if (!pid)
			be_child(self);
		if (pid < 0)
			return -errno;
		if (i == ENOUGH)
			eventfd_write(o->fd, 1);
	}
	return 0;
}

/**
 * struct group - who has been reaped of it
 */
struct group {
	pid_t id;
	int killed, other;
};

static bool all_reaped(void *arg)
{
	struct group *g = arg;
	siginfo_t si = { 0 };

	while (!waitid(P_PGID, (id_t)g->id, &si, WEXITED | WNOHANG) &&
	       si.si_pid) {
		if (si.si_code == CLD_KILLED && si.si_status == SIGKILL)
			g->killed++;
		else
			g->other++;
		si.si_pid = 0;
	}
	return kill(-g->id, 0) < 0 && errno == ESRCH;
}

static void fork_and_kill(void)
{
	_cleanup_close_ int begun = eventfd(0, EFD_CLOEXEC);
	struct actor *p = spawn("P");
	struct thread *t = thread(p, "T");
	struct group g = { .id = p->pid };
	bool all;

	ask(leader(p), order_setpgid, 0, 0);
	if (thread_tell(t, order_fork_on, begun, 0, 0) ||
	    !await_readable(begun, AWAIT_MS))
		broken("T does not fork");
	if (kill(-p->pid, SIGKILL) < 0)
		broken("kill(-%d): %m", p->pid);
	all = await_true(all_reaped, &g, AWAIT_MS);
	expect(all && g.killed > ENOUGH && !g.other,
	       "copy_process(): fatal_signal_pending(), -EINTR",
	       "members of the group reaped: %d killed, %d others; %s",
	       g.killed, g.other, all ? "none is left" : "one has got away");
}

static const char *const watches[] = {
	"7673bf553b29 (\"fork: Unconditionally exit if a fatal signal is pending\")",
	NULL
};

static void play(void)
{
	step("a group is killed while a thread in it forks, %d times", ROUNDS);
	for (int i = 0; i < ROUNDS; i++)
		fork_and_kill();
}

SCENARIO(fork_killed) = {
	.name = "fork-killed",
	.summary =
		"a process group is killed while a thread in it forks: nobody gets away",
	.rows = "A66",
	.watches = watches,
	.play = play,
};
