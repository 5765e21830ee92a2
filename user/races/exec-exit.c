// SPDX-License-Identifier: GPL-2.0
/*
 * A thread calls execve() while the leader calls exit_group(): de_thread() and
 * do_group_exit() both want to be the one that ends all others, and the first to
 * set signal->flags or ->group_exec_task is. The process runs the new program to
 * its end, or it has the code of exit_group(); it keeps its pid.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "../race.h"

#define PROGRAM "/bin/true"

enum { EXEC, EXIT };

static void *thread(void *arg)
{
	race_start(arg, EXEC);
	execl(PROGRAM, PROGRAM, NULL);
	/* Refused with EAGAIN by de_thread() it would be dead by now. */
	race_broken(arg, "cannot execute " PROGRAM ": %m");
}

static void setup(struct round *r)
{
	if (access(PROGRAM, X_OK))
		race_skip(r, "needs " PROGRAM);
}

static void prepare(struct round *r)
{
	pthread_t t;

	if (race_fork(r, EXIT))
		return;
	if (pthread_create(&t, NULL, thread, r))
		race_broken(r, "cannot make a thread: %m");
	race_start(r, EXIT);
	_exit(7);
}

static void finish(struct round *r)
{
	pid_t pid = race_pid(r, EXIT), told;
	int status = race_reap(pid), again = race_reap(pid);

	told = race_told();
	race_check(r, again < 0 && told == pid && !race_told(),
		   "de_thread(): the leader it replaces is told of to nobody; told of %d, expected %d, reaped again: %d",
		   told, pid, again);
	if (!status)
		race_took(r, EXEC);
	else if (race_check(r, status == 7 << 8,
			    "the new program or exit_group(); got %#x", status))
		race_took(r, EXIT);
}

RACE(exec_exit) = {
	.name = "exec-exit",
	.summary = "a thread calls execve() while the leader calls exit_group()",
	.outcomes = { "exec", "exit" },
	.sides = { { "exec", NULL }, { "exit", NULL } },
	.setup = setup,
	.prepare = prepare,
	.finish = finish,
};
