// SPDX-License-Identifier: GPL-2.0
/*
 * How a thread is held: the letter of its state, what it counts as, and what a
 * signal does to it.
 */
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>

#include "kselftest_harness.h"
#include "device.h"

FIXTURE(kind)
{
	int control;
	int gate;
	pid_t pid;
};

FIXTURE_VARIANT(kind)
{
	__u32 kind;
	char state;
	const char *function;
	bool dies;  /* of SIGKILL */
	bool wakes; /* on any signal */
};

#define KIND(name, letter, text, killed, woken)                  \
	FIXTURE_VARIANT_ADD(kind, name)                          \
	{                                                        \
		.kind = UNDEAD_KIND_##name, .state = letter,     \
		.function = "undead_hold_" text, .dies = killed, \
		.wakes = woken,                                  \
	}

KIND(UNINTERRUPTIBLE, 'D', "uninterruptible", false, false);
KIND(KILLABLE, 'D', "killable", true, false);
KIND(INTERRUPTIBLE, 'S', "interruptible", true, true);
KIND(IDLE, 'I', "idle", false, false);
KIND(IOWAIT, 'D', "iowait", false, false);
KIND(SPIN, 'R', "spin", false, false);

static int create(int control, __u32 kind)
{
	struct undead_gate_create arg = {
		.size = sizeof(arg),
		.points = POINT(READ),
		.kind = kind,
		.deadline_ms = DEADLINE_MS,
	};

	return ioctl(control, UNDEAD_IOC_GATE_CREATE, &arg) ? -1 : arg.fd;
}

static void no_restart(int sig)
{
}

FIXTURE_SETUP(kind)
{
	struct sigaction act = { .sa_handler = no_restart };

	MUST_ROOT();
	self->control = control_open();
	self->gate = create(self->control, variant->kind);
	if (self->gate < 0 && errno == EOPNOTSUPP)
		SKIP(return, "the module does not have this kind");
	ASSERT_EQ(0, sigaction(SIGUSR1, &act, NULL));
	self->pid = reader(self->gate);
	ASSERT_EQ(0, await(self->gate, 1, AWAIT_MS));
	ASSERT_TRUE(await_state(self->pid, variant->state));
	/* Asleep, and counted as that, only now. */
	if (variant->kind != UNDEAD_KIND_SPIN)
		ASSERT_TRUE(await_stack(self->pid, variant->function));
}

FIXTURE_TEARDOWN(kind)
{
	gate_open(self->gate, 0, NULL);
	close(self->gate);
	close(self->control);
}

static __u64 released(int gate, int reason)
{
	return counters(gate).released[reason];
}

TEST_F(kind, is_released)
{
	struct undead_hold entry;

	EXPECT_EQ(1, list(self->gate, 0, &entry, 1));
	EXPECT_EQ(variant->kind, entry.kind);
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_HOLD, entry.id, NULL));
	EXPECT_EQ(0, ended(self->pid));
	EXPECT_EQ(1, released(self->gate, UNDEAD_REASON_REQUEST));
}

/* SIGUSR1 comes first: a thread that it wakes is not there for the second. */
TEST_F(kind, hears_signals)
{
	EXPECT_EQ(0, kill(self->pid, SIGUSR1));
	if (variant->wakes) {
		EXPECT_EQ(EINTR, WEXITSTATUS(ended(self->pid)));
		EXPECT_EQ(1, released(self->gate, UNDEAD_REASON_SIGNAL));
		EXPECT_EQ(0, counters(self->gate).held);
		return;
	}
	EXPECT_EQ(0, await(self->gate, 1, 0));
	EXPECT_EQ(variant->state, state_of(self->pid));
}

TEST_F(kind, hears_sigkill)
{
	int status;

	EXPECT_EQ(0, kill(self->pid, SIGKILL));
	if (!variant->dies) {
		EXPECT_EQ(0, waitpid(self->pid, NULL, WNOHANG));
		EXPECT_EQ(0, await(self->gate, 1, 0));
		EXPECT_EQ(variant->state, state_of(self->pid));
		EXPECT_EQ(0, gate_open(self->gate, 0, NULL));
	}
	status = ended(self->pid);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_EQ(1,
		  released(self->gate, variant->dies ? UNDEAD_REASON_SIGNAL :
						       UNDEAD_REASON_REQUEST));
}

/* procs_blocked of /proc/stat: tasks that wait for I/O. */
static int blocked(void)
{
	FILE *file = fopen("/proc/stat", "re");
	char line[16384];
	int n = -1;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "procs_blocked %d", &n) == 1)
			break;
	if (file)
		fclose(file);
	return n;
}

/* A thread has its state before it is off its CPU and counts. */
static bool await_blocked(int least, int most)
{
	long until = now_ms() + AWAIT_MS;
	int n;

	do {
		n = blocked();
	} while ((n < least || n > most) && now_ms() < until);
	return n >= least && n <= most;
}

TEST_F(kind, counts_as_iowait)
{
	int least = variant->kind == UNDEAD_KIND_IOWAIT;

	EXPECT_TRUE(await_blocked(least, INT_MAX));
	EXPECT_EQ(0, gate_open(self->gate, 0, NULL));
	EXPECT_EQ(0, ended(self->pid));
	EXPECT_TRUE(await_blocked(0, least ? 0 : INT_MAX));
}

TEST_F(kind, real_time)
{
	struct sched_param param = { .sched_priority = 1 };
	pid_t pid = fork();
	char c;

	if (!pid) {
		if (sched_setscheduler(0, SCHED_FIFO, &param))
			_exit(255);
		_exit(read(self->gate, &c, 1) ? errno : 0);
	}
	if (variant->kind == UNDEAD_KIND_SPIN) {
		EXPECT_EQ(EPERM, WEXITSTATUS(ended(pid)));
		EXPECT_EQ(1, counters(self->gate).refused);
		return;
	}
	EXPECT_EQ(0, await(self->gate, 2, AWAIT_MS));
	EXPECT_EQ(0, gate_open(self->gate, 0, NULL));
	EXPECT_EQ(0, ended(pid));
	EXPECT_EQ(0, ended(self->pid));
}

/* More spinners than CPUs: the others still get on. */
TEST_F(kind, many)
{
	const long n = 2 * sysconf(_SC_NPROCESSORS_ONLN);
	pid_t pid[n];
	long i;

	for (i = 0; i < n; i++)
		pid[i] = reader(self->gate);
	EXPECT_EQ(0, await(self->gate, n + 1, AWAIT_MS));
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_ALL, 0, NULL));
	for (i = 0; i < n; i++)
		EXPECT_EQ(0, ended(pid[i]));
	EXPECT_EQ(0, ended(self->pid));
}

TEST_HARNESS_MAIN
