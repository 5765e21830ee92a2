// SPDX-License-Identifier: GPL-2.0
/*
 * Two threads of a process call exit_group(): do_group_exit() takes the code of
 * the first under siglock, and the process has that one and no mixture: the second
 * looks again when it has the lock, or SIGCHLD would tell the code of the one and
 * wait that of the other.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "../race.h"

enum { LEADER, THREAD };

static const int code[] = { [LEADER] = 3, [THREAD] = 5 };

static void *thread(void *arg)
{
	race_start(arg, THREAD);
	_exit(code[THREAD]);
}

static void prepare(struct round *r)
{
	pthread_t t;

	if (race_fork(r, LEADER))
		return;
	if (pthread_create(&t, NULL, thread, r))
		race_broken(r, "cannot make a thread: %m");
	race_start(r, LEADER);
	_exit(code[LEADER]);
}

static void finish(struct round *r)
{
	pid_t pid = race_pid(r, LEADER), told;
	int status = race_reap(pid), again = race_reap(pid);
	siginfo_t si = { 0 };

	told = race_told_info(&si);
	race_check(r, again < 0 && told == pid && !race_told(),
		   "do_notify_parent(): a group is told of once and reaped once; told of %d, expected %d, reaped again: %d",
		   told, pid, again);
	race_check(r, si.si_code == CLD_EXITED && si.si_status == status >> 8,
		   "do_group_exit(): one code; SIGCHLD tells of %d, wait of %d",
		   si.si_status, status >> 8);
	if (status == code[LEADER] << 8)
		race_took(r, LEADER);
	else if (race_check(r, status == code[THREAD] << 8,
			    "do_group_exit(): the code of the first; got %#x",
			    status))
		race_took(r, THREAD);
}

RACE(exit_group) = {
	.name = "exit-group",
	.summary = "two threads of a process call exit_group()",
	.outcomes = { "leader", "thread" },
	.sides = { { "leader", NULL }, { "thread", NULL } },
	.prepare = prepare,
	.finish = finish,
};
