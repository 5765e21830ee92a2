// SPDX-License-Identifier: GPL-2.0
/*
 * A seized tracee is trapped by PTRACE_INTERRUPT: waitid() says CLD_TRAPPED and
 * SIGTRAP, SIGCHLD says CLD_STOPPED by signal 0. Needs no module and no root:
 *
 *	cc -o trap-info trap-info.c && ./trap-info
 *
 * docs/findings/trap-info.md has the rest.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	siginfo_t told, seen = { 0 };
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, NULL) ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL)) {
		perror("fork(), PTRACE_SEIZE or PTRACE_INTERRUPT");
		return 2;
	}
	if (sigwaitinfo(&set, &told) < 0 ||
	    waitid(P_PID, (id_t)pid, &seen, WSTOPPED | WEXITED)) {
		perror("sigwaitinfo() or waitid()");
		return 2;
	}
	kill(pid, SIGKILL);
	printf("SIGCHLD:  si_code %d, si_status %#x\n", told.si_code,
	       (unsigned int)told.si_status);
	printf("waitid(): si_code %d, si_status %#x\n", seen.si_code,
	       (unsigned int)seen.si_status);
	printf("(CLD_TRAPPED is %d, CLD_STOPPED %d)\n", CLD_TRAPPED,
	       CLD_STOPPED);
	return told.si_code != seen.si_code;
}
