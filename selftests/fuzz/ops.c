// SPDX-License-Identifier: GPL-2.0
/* The table of operations, and how one is performed: with a fault or without. */
#include <pthread.h>
#include <sys/mount.h>

#include "ops.h"

const struct op ops[] = {
	[READ] = { "read", op_read, 160, BY_ACTOR, ON_GATE },
	[CLOSE] = { "dup, close", op_close, 30, BY_ACTOR, ON_GATE },
	[CREATE] = { "create", op_create, 15, BY_S, ON_CONTROL },
	{ "hold", op_hold, 80, BY_ACTOR, ON_GATE },
	{ "read control", op_read, 5, BY_ACTOR, ON_CONTROL },
	{ "read nonblock", op_nonblock, 5, BY_ACTOR, ON_GATE },
	{ "mmap", op_map, 30, BY_PROCESS, ON_GATE },
	{ "touch", op_touch, 50, BY_ACTOR, ON_GATE },
	{ "copy to map", op_copy, 20, BY_PROCESS, ON_GATE },
	{ "aio", op_aio, 20, BY_PROCESS, ON_GATE },
	{ "enrol self", op_enrol_self, 30, BY_PROCESS, ON_GATE },
	{ "fork", op_fork, 4, BY_PROCESS, ON_GATE },
	{ "tid address", op_tid_address, 5, BY_PROCESS, ON_GATE },
	{ "exit", op_exit, 6, BY_PROCESS, ON_GATE | NO_FAULT },
	{ "exec", op_exec, 4, BY_PROCESS, ON_GATE | NO_FAULT },
	{ "release hold", op_release_hold, 30, BY_ANY, ON_CONTROL | ON_GATE },
	{ "release tid", op_release_tid, 10, BY_ANY, ON_GATE },
	{ "release any tid", op_release_tid, 15, BY_ANY, ON_CONTROL },
	{ "release oldest", op_release_oldest, 30, BY_ANY,
	  ON_CONTROL | ON_GATE },
	{ "release all", op_release_all, 10, BY_ANY, ON_CONTROL | ON_GATE },
	{ "open gate", op_gate_open, 10, BY_ANY, ON_CONTROL | ON_GATE },
	{ "re-arm", op_rearm, 100, BY_S, ON_GATE },
	{ "await", op_await, 100, BY_S, ON_GATE },
	{ "poll", op_poll, 10, BY_ANY, ON_CONTROL | ON_GATE },
	{ "info", op_info, 10, BY_ANY, ON_CONTROL },
	{ "list", op_list, 30, BY_ANY, ON_GATE },
	{ "list all", op_list, 60, BY_ANY, ON_CONTROL },
	{ "counters", op_counters, 40, BY_ANY, ON_CONTROL | ON_GATE },
	{ "bad form", op_bad_form, 50, BY_ANY, ON_CONTROL | ON_GATE },
	{ "bad gate call", op_bad_gate_call, 25, BY_ANY, ON_GATE },
	{ "bad create", op_bad_create, 15, BY_ANY, ON_CONTROL },
	{ "open", op_open, 3, BY_S, ON_CONTROL },
	{ "close control", op_close_control, 1, BY_S, ON_CONTROL },
	{ "close gate", op_close_gate, 5, BY_S, ON_GATE },
	{ "hand over", op_hand_over, 90, BY_S, ON_GATE },
	{ "dup", op_dup, 5, BY_S, ON_GATE },
	{ "enrol", op_enrol, 20, BY_S, ON_GATE },
	{ "signal", op_signal, 60, BY_S, ON_GATE },
	{ "kill", op_kill, 5, BY_S, ON_GATE | NO_FAULT },
	{ "spawn", op_spawn, 10, BY_S, ON_GATE | NO_FAULT },
	{ "open every", op_open_every, 1, BY_S, ON_CONTROL },
	{ "suspend", op_suspend, 2, BY_S, ON_GATE | NO_FAULT },
	{ "limit", op_limit, 5, BY_S, ON_CONTROL | NO_FAULT },
};

const unsigned int op_count = sizeof(ops) / sizeof(*ops);

_Static_assert(sizeof(ops) / sizeof(*ops) <= MAX_OPS, "room in struct shared");

/* ---------------------------------------------------------- injected faults */

__thread bool faulty; /* this operation may fail for no reason */

static int fault_open(void)
{
	return open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

/* The nth place of this thread that can fail does; perhaps in here. 0: none. */
static void fault_arm(int fd, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	while (pwrite(fd, text, (size_t)len, 0) < 0)
		;
}

static bool fault_came(int fd)
{
	char text[16] = "";

	return pread(fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);
}

bool can_inject(void)
{
	int fd = fault_open();

	close(fd);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	put("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	put("/sys/kernel/debug/failslab/verbose", "0");
	put("/sys/kernel/debug/fail_usercopy/verbose", "0");
	return fd >= 0;
}

/*
 * Of an operation, fewer than 8 places; those of a fork are many more. A signal
 * waits, for its handler would be given what is to fail.
 */
static bool perform_with_fault(const struct step *s, int fd)
{
	int nth = fault_open();
	sigset_t usr1, old;
	bool ok;

	if (nth < 0)
		return ops[s->op].fn(fd, s);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, &old);
	faulty = true;
	fault_arm(nth, 1 + s->b / 16 % (s->a % 4 ? 8 : 64));
	ok = ops[s->op].fn(fd, s);
	if (fault_came(nth))
		ADD(sh->faults, 1);
	fault_arm(nth, 0);
	faulty = false;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	close(nth);
	return ok;
}

void perform(const struct step *s, int fd)
{
	bool ok;

	ADD(sh->done[s->op], 1);
	ok = s->flags & STEP_FAULT ? perform_with_fault(s, fd) :
				     ops[s->op].fn(fd, s);
	ADD(sh->ok[s->op], ok);
}
