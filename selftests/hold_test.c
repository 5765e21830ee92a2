// SPDX-License-Identifier: GPL-2.0
/*
 * Threads are held, listed, awaited, counted and released as they should be.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "device.h"

#define SHORT_MS 300
/* The module counts in ticks, which a busy host gives to its guest in bunches. */
#define EARLY_MS 100

FIXTURE(hold)
{
	int control;
	int gate;
};

FIXTURE_SETUP(hold)
{
	MUST_ROOT();
	self->control = control_open();
	ASSERT_LE(0, self->control);
	self->gate = gate_create(self->control, POINT(READ) | POINT(IOCTL),
				 DEADLINE_MS);
	ASSERT_LE(0, self->gate);
}

FIXTURE_TEARDOWN(hold)
{
	close(self->gate);
	close(self->control);
}

/* A child held in read(), and asleep. */
static pid_t held_reader(int gate)
{
	__u64 before = counters(gate).held;
	pid_t pid = reader(gate);

	if (await(gate, before + 1, AWAIT_MS) || !await_state(pid, 'D'))
		return -1;
	return pid;
}

static int hold(int gate)
{
	struct undead_hold_req arg = { .size = sizeof(arg) };

	return ioctl(gate, UNDEAD_IOC_HOLD, &arg);
}

TEST_F(hold, in_read)
{
	struct undead_hold entry;
	pid_t pid = held_reader(self->gate);

	EXPECT_TRUE(await_stack(pid, "undead_gate_read"));
	EXPECT_EQ(1, list(self->gate, 0, &entry, 1));
	EXPECT_EQ(pid, entry.tid);
	EXPECT_EQ(pid, entry.tgid);
	EXPECT_EQ(UNDEAD_POINT_READ, entry.point);
	EXPECT_EQ(UNDEAD_KIND_UNINTERRUPTIBLE, entry.kind);
	EXPECT_EQ(UNDEAD_WHERE_NONE, entry.where);
	EXPECT_GE(now_ms(), (long)(entry.since_ns / 1000000));
	EXPECT_LE(now_ms() - AWAIT_MS, (long)(entry.since_ns / 1000000));
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_HOLD, entry.id, NULL));
	EXPECT_EQ(0, ended(pid));
}

/* read_iter of the gate; what must not wait is refused, as by O_NONBLOCK. */
TEST_F(hold, in_readv)
{
	struct undead_hold entry;
	char c;
	struct iovec to = { &c, 1 };
	pid_t pid = fork();

	if (!pid)
		_exit(readv(self->gate, &to, 1) ? errno : 0);
	EXPECT_EQ(0, await(self->gate, 1, AWAIT_MS));
	EXPECT_TRUE(await_state(pid, 'D'));
	EXPECT_TRUE(await_stack(pid, "undead_gate_read_iter"));
	EXPECT_EQ(1, list(self->gate, 0, &entry, 1));
	EXPECT_EQ(UNDEAD_POINT_READ, entry.point);
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_ALL, 0, NULL));
	EXPECT_EQ(0, ended(pid));
	EXPECT_EQ(-1, preadv2(self->gate, &to, 1, -1, RWF_NOWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(hold, in_ioctl)
{
	struct undead_hold entry;
	pid_t pid = fork();

	if (!pid)
		_exit(hold(self->gate) ? errno : 0);
	EXPECT_EQ(0, await(self->gate, 1, AWAIT_MS));
	EXPECT_TRUE(await_state(pid, 'D'));
	EXPECT_TRUE(await_stack(pid, "undead_gate_ioctl"));
	EXPECT_EQ(1, list(self->gate, 0, &entry, 1));
	EXPECT_EQ(UNDEAD_POINT_IOCTL, entry.point);
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_ALL, 0, NULL));
	EXPECT_EQ(0, ended(pid));
}

static void *read_in_thread(void *gate)
{
	char c;

	return (void *)read(*(int *)gate, &c, 1);
}

TEST_F(hold, thread_is_told_from_its_group)
{
	struct undead_hold entry;
	pthread_t thread;

	ASSERT_EQ(0,
		  pthread_create(&thread, NULL, read_in_thread, &self->gate));
	EXPECT_EQ(0, await(self->gate, 1, AWAIT_MS));
	EXPECT_EQ(1, list(self->control, 0, &entry, 1));
	EXPECT_EQ(getpid(), entry.tgid);
	EXPECT_NE(getpid(), entry.tid);
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_TID, entry.tid, NULL));
	EXPECT_EQ(0, pthread_join(thread, NULL));
}

TEST_F(hold, deaf_to_sigkill)
{
	pid_t pid = held_reader(self->gate);
	int status;

	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ('D', state_of(pid));
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	EXPECT_EQ(0, await(self->gate, 1, 0));
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_TID, pid, NULL));
	status = ended(pid);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_EQ(1, counters(self->gate).released[UNDEAD_REASON_REQUEST]);
}

TEST_F(hold, other_points_pass)
{
	int gate = gate_create(self->control, POINT(IOCTL), DEADLINE_MS);
	char c;

	EXPECT_EQ(0, read(gate, &c, 1));
	EXPECT_EQ(1, counters(gate).passed);
	EXPECT_EQ(0, counters(gate).admitted);
}

TEST_F(hold, nonblocking_is_refused)
{
	char c;

	ASSERT_EQ(0, fcntl(self->gate, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, fcntl(self->control, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(self->gate, &c, 1));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, hold(self->gate));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, read(self->control, &c, 1));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(2, counters(self->gate).refused);
	EXPECT_EQ(0, counters(self->gate).admitted);
}

TEST_F(hold, oldest_first)
{
	struct undead_hold entry[4];
	pid_t pid[4];
	__u64 n;
	int i;

	for (i = 0; i < 4; i++)
		pid[i] = held_reader(self->gate);
	EXPECT_EQ(4, list(self->gate, 0, entry, 4));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(pid[i], entry[i].tid);
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_OLDEST, 0, &n));
	EXPECT_EQ(0, n);
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_OLDEST, 2, &n));
	EXPECT_EQ(2, n);
	EXPECT_EQ(0, ended(pid[0]));
	EXPECT_EQ(0, ended(pid[1]));
	EXPECT_EQ(2, list(self->gate, 0, entry, 4));
	EXPECT_EQ(pid[2], entry[0].tid);
	EXPECT_EQ(0,
		  release(self->gate, UNDEAD_RELEASE_OLDEST, UINT64_MAX, &n));
	EXPECT_EQ(2, n);
	EXPECT_EQ(0, ended(pid[2]));
	EXPECT_EQ(0, ended(pid[3]));
}

TEST_F(hold, release_of_what_is_not_held)
{
	int other = gate_create(self->control, POINT(READ), DEADLINE_MS);
	pid_t pid = held_reader(self->gate);
	struct undead_hold entry;
	__u64 n;

	ASSERT_EQ(1, list(self->gate, 0, &entry, 1));
#define EXPECT_ERROR(err, fd, what, id)                     \
	do {                                                \
		EXPECT_EQ(-1, release(fd, what, id, NULL)); \
		EXPECT_EQ(err, errno);                      \
	} while (0)
	EXPECT_ERROR(ESRCH, other, UNDEAD_RELEASE_HOLD, entry.id);
	EXPECT_ERROR(ESRCH, other, UNDEAD_RELEASE_TID, pid);
	EXPECT_ERROR(ESRCH, self->gate, UNDEAD_RELEASE_HOLD, 0);
	EXPECT_ERROR(ESRCH, self->gate, UNDEAD_RELEASE_HOLD, entry.id + 1);
	EXPECT_ERROR(ESRCH, self->gate, UNDEAD_RELEASE_HOLD, UINT64_MAX);
	EXPECT_ERROR(ESRCH, self->gate, UNDEAD_RELEASE_TID, 0);
	EXPECT_ERROR(ESRCH, self->gate, UNDEAD_RELEASE_TID, getpid());
	EXPECT_ERROR(ESRCH, self->gate, UNDEAD_RELEASE_TID, UINT64_MAX);
	EXPECT_ERROR(ESRCH, self->gate, UNDEAD_RELEASE_TID, (1ULL << 32) + pid);
	EXPECT_ERROR(EINVAL, self->gate, UNDEAD_RELEASE_ALL, 1);
	EXPECT_ERROR(EINVAL, self->gate, UNDEAD_RELEASE_ALL + 1, 0);
	EXPECT_EQ(0, release(other, UNDEAD_RELEASE_ALL, 0, &n));
	EXPECT_EQ(0, n);
	EXPECT_EQ(0, await(self->gate, 1, 0));
	EXPECT_EQ(0, release(self->control, UNDEAD_RELEASE_HOLD, entry.id, &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(0, ended(pid));
}

TEST_F(hold, open_for_good_and_armed_again)
{
	pid_t a = held_reader(self->gate), b = held_reader(self->gate);
	__u64 n, passed;
	char c;

	EXPECT_EQ(0, gate_open(self->gate, 0, &n));
	EXPECT_EQ(2, n);
	EXPECT_EQ(0, ended(a));
	EXPECT_EQ(0, ended(b));
	passed = counters(self->gate).passed;
	EXPECT_EQ(0, read(self->gate, &c, 1));
	EXPECT_EQ(passed + 1, counters(self->gate).passed);
	EXPECT_EQ(0, rearm(self->gate));
	a = held_reader(self->gate);
	EXPECT_EQ(0, gate_open(self->control, 0, &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(0, ended(a));
	EXPECT_EQ(3, counters(self->gate).released[UNDEAD_REASON_REQUEST]);
}

TEST_F(hold, two_owners_do_not_disturb_each_other)
{
	int control = control_open();
	int gate = gate_create(control, POINT(READ), DEADLINE_MS);
	pid_t mine = held_reader(self->gate), theirs = held_reader(gate);
	__u64 n;

	EXPECT_EQ(0, gate_open(control, 0, &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(0, ended(theirs));
	EXPECT_EQ(0, await(self->gate, 1, 0));
	close(control);
	close(gate);
	EXPECT_EQ(0, await(self->gate, 1, 0));
	EXPECT_EQ('D', state_of(mine));
	control = control_open();
	EXPECT_EQ(0, gate_open(control, UNDEAD_OPEN_EVERY, &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(0, ended(mine));
	close(control);
}

TEST_F(hold, panic_button)
{
	pid_t ours = held_reader(self->gate), cat = fork();
	char c;

	if (!cat)
		_exit(read(control_open(), &c, 1) ? 1 : 0);
	EXPECT_TRUE(await_state(cat, 'D'));
	EXPECT_TRUE(set_parameter("open_every", "1"));
	EXPECT_EQ(0, ended(ours));
	EXPECT_EQ(0, ended(cat));
	EXPECT_EQ(1, counters(self->gate).released[UNDEAD_REASON_REQUEST]);
}

static void interrupt(int sig)
{
}

TEST_F(hold, await_ends)
{
	struct sigaction act = { .sa_handler = interrupt };
	long start = now_ms();
	pid_t pid;

	EXPECT_EQ(0, await(self->gate, 0, 0));
	EXPECT_EQ(ETIMEDOUT, await(self->gate, 1, 0) ? errno : 0);
	EXPECT_EQ(ETIMEDOUT, await(self->gate, 1, SHORT_MS) ? errno : 0);
	EXPECT_LE(start + SHORT_MS - EARLY_MS, now_ms());
	EXPECT_EQ(ETIMEDOUT, await(self->gate, UINT64_MAX, 0) ? errno : 0);
	EXPECT_EQ(ERANGE, await(self->gate, 1, 1ULL << 31) ? errno : 0);

	pid = fork();
	if (!pid) {
		sigaction(SIGUSR1, &act, NULL);
		_exit(await(self->gate, 1, INT32_MAX) ? errno : 0);
	}
	EXPECT_TRUE(await_state(pid, 'S'));
	EXPECT_EQ(0, kill(pid, SIGUSR1));
	EXPECT_EQ(EINTR, WEXITSTATUS(ended(pid)));

	pid = fork();
	if (!pid)
		_exit(await(self->gate, 1, INT32_MAX) ? errno : 0);
	EXPECT_TRUE(await_state(pid, 'S'));
	EXPECT_EQ(0, gate_open(self->gate, 0, NULL));
	EXPECT_EQ(ECANCELED, WEXITSTATUS(ended(pid)));
	EXPECT_EQ(0, await(self->gate, 0, 0));
}

static short polled(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLPRI };

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

TEST_F(hold, poll_tells)
{
	struct pollfd pfd = { .fd = self->control, .events = POLLPRI };
	pid_t pid;

	EXPECT_EQ(0, polled(self->gate));
	EXPECT_EQ(0, polled(self->control));
	pid = reader(self->gate);
	EXPECT_EQ(1, poll(&pfd, 1, AWAIT_MS));
	EXPECT_EQ(POLLPRI, pfd.revents);
	EXPECT_EQ(POLLPRI, polled(self->gate));
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_ALL, 0, NULL));
	EXPECT_EQ(0, polled(self->gate));
	EXPECT_EQ(0, polled(self->control));
	EXPECT_EQ(0, ended(pid));
	EXPECT_EQ(0, gate_open(self->gate, 0, NULL));
	EXPECT_EQ(POLLIN, polled(self->gate));
	EXPECT_EQ(0, polled(self->control));
	EXPECT_EQ(0, gate_open(self->control, 0, NULL));
	EXPECT_EQ(POLLIN, polled(self->control));
}

TEST_F(hold, list_in_pages)
{
	struct undead_hold entry[5];
	pid_t pid[5];
	__u64 after = 0;
	int i;

	for (i = 0; i < 5; i++)
		pid[i] = held_reader(self->gate);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(i == 4 ? 1 : 2, list(self->gate, after, entry, 2));
		EXPECT_EQ(pid[i], entry[0].tid);
		EXPECT_LT(after, entry[0].id);
		after = entry[0].id;
	}
	EXPECT_EQ(0, list(self->gate, after, entry, 5));
	EXPECT_EQ(0, list(self->gate, UINT64_MAX, entry, 5));
	EXPECT_EQ(0, gate_open(self->gate, 0, NULL));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, ended(pid[i]));
}

TEST_F(hold, list_for_newer_and_older_callers)
{
	char room[3][sizeof(struct undead_hold) + 8];
	struct undead_list arg = {
		.size = sizeof(arg),
		.entries = (unsigned long)room,
		.entry_size = sizeof(room[0]),
		.capacity = UINT32_MAX,
	};
	struct undead_hold entry;
	pid_t a = held_reader(self->gate), b = held_reader(self->gate);

	memset(room, 0xff, sizeof(room));
	ASSERT_EQ(0, ioctl(self->gate, UNDEAD_IOC_LIST, &arg));
	EXPECT_EQ(2, arg.count);
	EXPECT_EQ(2, arg.total);
	memcpy(&entry, room[1], sizeof(entry));
	EXPECT_EQ(b, entry.tid);
	EXPECT_EQ(0, room[1][sizeof(entry)]);
	EXPECT_EQ(0, room[1][sizeof(entry) + 7]);
	EXPECT_EQ((char)0xff, room[2][0]);
	arg.entry_size = sizeof(entry) - 1;
	EXPECT_EQ(EINVAL, ioctl(self->gate, UNDEAD_IOC_LIST, &arg) ? errno : 0);
	arg.entry_size = UINT32_MAX;
	EXPECT_EQ(E2BIG, ioctl(self->gate, UNDEAD_IOC_LIST, &arg) ? errno : 0);
	arg.entry_size = sizeof(entry);
	arg.entries = 0;
	EXPECT_EQ(EFAULT, ioctl(self->gate, UNDEAD_IOC_LIST, &arg) ? errno : 0);
	arg.capacity = 0;
	EXPECT_EQ(0, ioctl(self->gate, UNDEAD_IOC_LIST, &arg));
	EXPECT_EQ(0, arg.count);
	EXPECT_EQ(2, arg.total);
	EXPECT_EQ(0, gate_open(self->gate, 0, NULL));
	EXPECT_EQ(0, ended(a));
	EXPECT_EQ(0, ended(b));
}

/* admitted is what was released and what is held. */
static bool adds_up(const struct undead_counters *c)
{
	__u64 sum = c->held;
	int i;

	for (i = 0; i < UNDEAD_REASONS; i++)
		sum += c->released[i];
	return sum == c->admitted;
}

/* A thousand processes, on a kernel that checks everything and beside others. */
TEST_F_TIMEOUT(hold, a_thousand, 240)
{
	const int n = 1000;
	struct undead_hold *entry = calloc(n, sizeof(*entry));
	struct undead_counters c;
	pid_t pid[n];
	__u64 released;
	int i, status;

	for (i = 0; i < n; i++)
		pid[i] = reader(self->gate);
	EXPECT_EQ(0, await(self->gate, n, AWAIT_MS));
	c = counters(self->gate);
	EXPECT_EQ(n, c.held);
	EXPECT_TRUE(adds_up(&c));
	EXPECT_EQ(n, list(self->gate, 0, entry, n));
	for (i = 0; i < n / 2; i++)
		EXPECT_EQ(0, release(self->gate,
				     i % 2 ? UNDEAD_RELEASE_HOLD :
					     UNDEAD_RELEASE_TID,
				     i % 2 ? entry[i].id : (__u64)entry[i].tid,
				     NULL));
	c = counters(self->gate);
	EXPECT_EQ(n / 2, c.held);
	EXPECT_TRUE(adds_up(&c));
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_ALL, 0, &released));
	EXPECT_EQ(n - n / 2, released);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	c = counters(self->gate);
	EXPECT_EQ(0, c.held);
	EXPECT_TRUE(adds_up(&c));
	c = counters(self->control);
	EXPECT_EQ(0, c.held);
	EXPECT_TRUE(adds_up(&c));
	free(entry);
}

TEST_F(hold, deadline_opens)
{
	int gate = gate_create(self->control, POINT(READ), SHORT_MS);
	struct undead_counters c;
	long start = now_ms();
	char b;

	EXPECT_EQ(0, read(gate, &b, 1));
	EXPECT_LE(start + SHORT_MS - EARLY_MS, now_ms());
	EXPECT_GT(start + SHORT_MS + 1000, now_ms());
	c = counters(gate);
	EXPECT_EQ(1, c.released[UNDEAD_REASON_DEADLINE]);
	EXPECT_TRUE(adds_up(&c));
	EXPECT_EQ(0, read(gate, &b, 1));
	EXPECT_EQ(1, counters(gate).passed);
	EXPECT_EQ(0, rearm(gate));
	EXPECT_EQ(0, read(gate, &b, 1));
	EXPECT_EQ(2, counters(gate).released[UNDEAD_REASON_DEADLINE]);
}

/* From the first hold of those there now, not from the newest. */
TEST_F(hold, deadline_counts_from_the_first)
{
	int gate = gate_create(self->control, POINT(READ), 6 * SHORT_MS);
	struct undead_hold first;
	pid_t a, b;

	a = held_reader(gate);
	ASSERT_EQ(1, list(gate, 0, &first, 1));
	EXPECT_EQ(ETIMEDOUT, await(gate, 2, 3 * SHORT_MS) ? errno : 0);
	b = held_reader(gate);
	EXPECT_EQ(0, ended(a));
	EXPECT_EQ(0, ended(b));
	EXPECT_GT(first.since_ns / 1000000 + 9 * SHORT_MS, (__u64)now_ms());
	EXPECT_EQ(2, counters(gate).released[UNDEAD_REASON_DEADLINE]);
	EXPECT_EQ(0, rearm(gate));
	a = held_reader(gate);
	EXPECT_EQ(0, release(gate, UNDEAD_RELEASE_ALL, 0, NULL));
	EXPECT_EQ(ETIMEDOUT, await(gate, 1, 3 * SHORT_MS) ? errno : 0);
	b = held_reader(gate);
	EXPECT_EQ(ETIMEDOUT, await(gate, 2, 4 * SHORT_MS) ? errno : 0);
	EXPECT_EQ(0, ended(a));
	EXPECT_EQ(0, ended(b));
}

/* Not in the next round of the lifeline (200 ms) but when it is due. */
TEST_F(hold, nearer_deadline_overtakes)
{
	int far = gate_create(self->control, POINT(READ), 4 * SHORT_MS);
	int near = gate_create(self->control, POINT(READ), 10);
	pid_t a = held_reader(far);
	long start = now_ms();
	char c;

	EXPECT_EQ(0, read(near, &c, 1));
	EXPECT_GT(start + SHORT_MS / 2, now_ms());
	EXPECT_EQ('D', state_of(a));
	EXPECT_EQ(0, ended(a));
}

/* cat /dev/undead */
TEST_F(hold, implicit_gate)
{
	struct undead_hold entry = { 0 };
	pid_t pid = fork();
	char c;

	if (!pid)
		_exit(read(control_open(), &c, 1) ? 1 : 0);
	EXPECT_TRUE(await_state(pid, 'D'));
	EXPECT_TRUE(await_stack(pid, "undead_control_read"));
	EXPECT_EQ(1, list(self->control, 0, &entry, 1));
	EXPECT_EQ(pid, entry.tid);
	EXPECT_EQ(0, entry.gate);
	EXPECT_EQ(0, release(self->control, UNDEAD_RELEASE_TID, pid, NULL));
	EXPECT_EQ(0, ended(pid));
}

TEST_F(hold, implicit_gate_has_its_deadline)
{
	long start;
	char c;
	int fd;

	ASSERT_TRUE(set_parameter("deadline_ms", "300"));
	fd = control_open();
	start = now_ms();
	EXPECT_EQ(0, read(fd, &c, 1));
	EXPECT_LE(start + 300, now_ms());
	EXPECT_TRUE(set_parameter("deadline_ms", "60000"));
	close(fd);
}

/* It outlives its killed owner: several rounds of the lifeline see nothing. */
TEST_F(hold, implicit_gate_is_not_tied_to_the_owner)
{
	int status,
		clock = gate_create(self->control, POINT(READ), 3 * SHORT_MS);
	pid_t pid = fork();
	char c;

	if (!pid)
		_exit(read(control_open(), &c, 1) ? 1 : 0);
	EXPECT_TRUE(await_state(pid, 'D'));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(0, read(clock, &c, 1));
	EXPECT_EQ('D', state_of(pid));
	EXPECT_EQ(0, release(self->control, UNDEAD_RELEASE_TID, pid, NULL));
	status = ended(pid);
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* The fd of a stranger, taken by the one who may. */
TEST_F(hold, gate_taken_with_pidfd_getfd)
{
	int pidfd, gate;
	pid_t pid = fork();

	if (!pid) {
		gate = gate_create(self->control, POINT(READ), DEADLINE_MS);
		if (dup2(gate, 100) != 100)
			_exit(1);
		for (;;)
			pause();
	}
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	/* EBADF until the child has put it there; the harness has a deadline. */
	while ((gate = syscall(SYS_pidfd_getfd, pidfd, 100, 0)) < 0 &&
	       errno == EBADF)
		sched_yield();
	EXPECT_LE(0, gate);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(SIGKILL, ended(pid));
	pid = held_reader(gate);
	EXPECT_EQ('D', state_of(pid));
	EXPECT_EQ(0, release(gate, UNDEAD_RELEASE_ALL, 0, NULL));
	EXPECT_EQ(0, ended(pid));
	close(gate);
	close(pidfd);
}

/* In a pid namespace of its own: what it sees of itself and of us. */
static int inside(int control, int gate, pid_t outer)
{
	struct undead_hold entry[2];
	pid_t pid = reader(gate);

	if (await(gate, 2, AWAIT_MS) || list(control, 0, entry, 2) != 2)
		return 1;
	if (entry[0].tid || entry[0].tgid)
		return 2;
	if (entry[1].tid != pid || entry[1].tgid != pid)
		return 3;
	if (outer != pid && !release(gate, UNDEAD_RELEASE_TID, outer, NULL))
		return 4;
	if (release(gate, UNDEAD_RELEASE_TID, pid, NULL))
		return 5;
	return ended(pid) ? 6 : 0;
}

TEST_F(hold, pid_namespace)
{
	pid_t outer = held_reader(self->gate), pid;
	struct undead_hold entry[2];

	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWPID))
			_exit(KSFT_SKIP);
		pid = fork();
		if (!pid)
			_exit(inside(self->control, self->gate, outer));
		_exit(WEXITSTATUS(ended(pid)));
	}
	EXPECT_EQ(0, WEXITSTATUS(ended(pid)));
	EXPECT_EQ(1, list(self->control, 0, entry, 2));
	EXPECT_EQ(outer, entry[0].tid);
	EXPECT_EQ(0, gate_open(self->gate, 0, NULL));
	EXPECT_EQ(0, ended(outer));
}

TEST_HARNESS_MAIN
