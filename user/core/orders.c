// SPDX-License-Identifier: GPL-2.0
/* Orders of general use. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"

int64_t order_read(const struct order *o)
{
	char byte;

	return read(o->fd, &byte, 1) < 0 ? -errno : 0;
}

int64_t order_pause(const struct order *o)
{
	(void)o;
	for (;;)
		pause();
}

int64_t order_exit_thread(const struct order *o)
{
	syscall(SYS_exit, (int)o->arg[0]);
	return -errno;
}

int64_t order_exit_group(const struct order *o)
{
	_exit((int)o->arg[0]);
}

int64_t order_sigmask(const struct order *o)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, (int)o->arg[1]);
	return -pthread_sigmask((int)o->arg[0], &set, NULL);
}

int64_t order_getppid(const struct order *o)
{
	(void)o;
	return getppid();
}

int64_t order_prctl(const struct order *o)
{
	return prctl((int)o->arg[0], o->arg[1], 0, 0, 0) < 0 ? -errno : 0;
}

int64_t order_setsid(const struct order *o)
{
	(void)o;
	return setsid() < 0 ? -errno : 0;
}

int64_t order_setpgid(const struct order *o)
{
	return setpgid((pid_t)o->arg[0], (pid_t)o->arg[1]) < 0 ? -errno : 0;
}

static volatile sig_atomic_t caught[NSIG];

static void count(int sig)
{
	caught[sig]++;
}

int64_t order_sigaction(const struct order *o)
{
	static const struct sigaction how[] = {
		[DISPOSE_DEFAULT] = { .sa_handler = SIG_DFL },
		[DISPOSE_IGNORE] = { .sa_handler = SIG_IGN },
		[DISPOSE_CATCH] = {
			.sa_handler = count,
			.sa_flags = SA_RESTART,
		},
		[DISPOSE_CATCH_INTERRUPT] = { .sa_handler = count },
		[DISPOSE_CATCH_NOCLDWAIT] = {
			.sa_handler = count,
			.sa_flags = SA_RESTART | SA_NOCLDWAIT,
		},
		[DISPOSE_DEFAULT_NOCLDWAIT] = {
			.sa_handler = SIG_DFL,
			.sa_flags = SA_NOCLDWAIT,
		},
	};

	return sigaction((int)o->arg[0], &how[o->arg[1]], NULL) < 0 ? -errno :
								      0;
}

int64_t order_caught(const struct order *o)
{
	return caught[o->arg[0]];
}

int64_t order_ptrace(const struct order *o)
{
	long r = ptrace((int)(o->arg[0] & 0xffffffff), (pid_t)o->arg[1], NULL,
			(void *)(o->arg[0] >> 32));

	return r < 0 ? -errno : r;
}

int64_t order_unshare(const struct order *o)
{
	return unshare((int)o->arg[0]) < 0 ? -errno : 0;
}

int64_t order_use_memory(const struct order *o)
{
	size_t size = (size_t)o->arg[0];
	char *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return -errno;
	memset(area, 1, size);
	return 0;
}

int64_t order_setuid(const struct order *o)
{
	return setuid((uid_t)o->arg[0]) < 0 ? -errno : 0;
}

int64_t order_wait(const struct order *o)
{
	idtype_t type = (idtype_t)(o->arg[0] >> 32);
	id_t id = (id_t)(o->arg[0] & 0xffffffff);
	siginfo_t si = { 0 };

	if (type == P_ALL && id)
		type = P_PID;
	if (waitid(type, id, &si, (int)o->arg[1]) < 0)
		return -errno;
	return si.si_pid ? WAITED(si.si_pid, si.si_code, si.si_status) : 0;
}
