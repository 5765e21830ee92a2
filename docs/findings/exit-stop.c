// SPDX-License-Identifier: GPL-2.0
/*
 * SIGKILL does not end PTRACE_EVENT_EXIT of a process that has called
 * exit_group(), since Linux 6.0. Needs no module, and no root:
 *
 *	cc -o exit-stop exit-stop.c && ./exit-stop
 *
 * docs/findings/exit-stop.md has the rest.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	siginfo_t si = { 0 };
	int go[2];
	pid_t p;
	char c;

	if (pipe(go))
		return 2;
	p = fork();
	if (!p)
		_exit(read(go[0], &c, 1) == 1 ? 7 : 2);
	if (ptrace(PTRACE_SEIZE, p, NULL, (void *)PTRACE_O_TRACEEXIT)) {
		perror("PTRACE_SEIZE");
		kill(p, SIGKILL);
		return 2;
	}
	if (write(go[1], "", 1) != 1 || waitid(P_PID, p, &si, WSTOPPED) ||
	    si.si_status != (PTRACE_EVENT_EXIT << 8 | SIGTRAP)) {
		kill(p, SIGKILL);
		return 2;
	}
	kill(p, SIGKILL);
	poll(NULL, 0, 1000);
	si.si_pid = 0;
	waitid(P_PID, p, &si, WEXITED | WNOHANG);
	puts(si.si_pid ? "dead" : "killed a second ago, and still stopped");
	/* Our end lets it go. */
	return !si.si_pid;
}
