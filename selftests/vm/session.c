// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 with a stopped job in its own session, which no other init has: the
 * parent of the job ends and PID 1, of another group of the same session,
 * adopts it. It does not count as a parent (is_global_init() in
 * will_become_orphaned_pgrp()), so the job gets SIGHUP and dies. Then the usual
 * init takes over; else we end, and the machine with us.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void too_late(int sig)
{
	(void)sig;
	_exit(1);
}

static void parent(int out)
{
	pid_t job;

	setpgid(0, 0);
	job = fork();
	if (!job) {
		setpgid(0, 0);
		raise(SIGSTOP);
		_exit(3);
	}
	waitpid(job, NULL, WUNTRACED);
	_exit(write(out, &job, sizeof(job)) != sizeof(job));
}

int main(void)
{
	pid_t p, job = 0;
	int pipes[2], status = 0;

	signal(SIGALRM, too_late);
	alarm(20);
	if (pipe(pipes))
		return 1;
	p = fork();
	if (!p)
		parent(pipes[1]);
	if (read(pipes[0], &job, sizeof(job)) != sizeof(job) ||
	    waitpid(p, NULL, 0) != p || waitpid(job, &status, 0) != job ||
	    getsid(0) != 0 || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGHUP)
		return 1;
	alarm(0);
	signal(SIGALRM, SIG_DFL);
	execl("/undead/init", "init", NULL);
	return 1;
}
