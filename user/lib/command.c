// SPDX-License-Identifier: GPL-2.0
/* The child of the keeper that becomes the command, and the sentry beside it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keeper.h"

/* Whoever was started by a parent that has ended since is to end too. */
static void end_with(pid_t keeper)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != keeper)
		_exit(1);
}

static int set_stdio(const int *want)
{
	int fd[3];

	/* Out of the way first: they may be each other's. */
	for (int i = 0; i < 3; i++) {
		fd[i] = fcntl(want[i], F_DUPFD_CLOEXEC, 3);
		if (fd[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], i) < 0)
			return -errno;
	return 0;
}

static int set_up(const struct keeper_start *s)
{
	const struct undead_options *how = &s->how;

	if (how->flags & UNDEAD_SETSID)
		setsid();
	else if (setpgid(0, 0))
		return -errno;
	/* All signals are blocked: SIGTTOU does not stop us. */
	if (how->flags & UNDEAD_FOREGROUND)
		tcsetpgrp(how->tty, getpid());
	if (how->flags & UNDEAD_STDIO)
		return set_stdio(how->stdio);
	return 0;
}

void command_main(const struct keeper_start *s, pid_t keeper, int errors)
{
	int err;

	/* The init of a pid namespace takes all with it. */
	if (s->how.guarantee != UNDEAD_PIDNS)
		end_with(keeper);
	err = set_up(s);
	if (!err) {
		signal(SIGCHLD, s->chld_ignored ? SIG_IGN : SIG_DFL);
		sigprocmask(SIG_SETMASK, &s->sigmask, NULL);
		execvpe(s->argv[0], s->argv, s->how.envp);
		err = -errno;
	}
	err = -err;
	if (write(errors, &err, sizeof(err)) < 0)
		_exit(125);
	_exit(err == ENOENT ? 127 : 126);
}

void sentry_main(pid_t keeper, pid_t group, int to)
{
	sigset_t wanted;
	siginfo_t si;

	end_with(keeper);
	prctl(PR_SET_NAME, "undead-sentry");
	syscall(SYS_close_range, 0, to - 1, 0);
	syscall(SYS_close_range, to + 1, ~0U, 0);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGQUIT);
	if (setpgid(0, group))
		_exit(1);
	for (;;) {
		int sig = sigwaitinfo(&wanted, &si);

		/* isig() of the terminal; a process says SI_USER. */
		if (sig > 0 && si.si_code == SI_KERNEL &&
		    write(to, &sig, sizeof(sig)) < 0)
			_exit(1);
	}
}
