// SPDX-License-Identifier: GPL-2.0
/*
 * A request of io_uring in flight at a gate, point aio: who waits for it when its
 * process ends? Not its process, unless that ends in an execve(), which then is
 * deaf, and once it is killed never sleeps.
 */
#include <linux/io_uring.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "device.h"

#define BUSY_TICKS 20

FIXTURE(uring)
{
	int control;
	int gate;
};

FIXTURE_VARIANT(uring)
{
	__u8 flags; /* of the request */
};

FIXTURE_VARIANT_ADD(uring, at_once){
	.flags = 0,
};

FIXTURE_VARIANT_ADD(uring, by_a_worker){
	.flags = IOSQE_ASYNC,
};

static int ring_setup(struct io_uring_params *p)
{
	memset(p, 0, sizeof(*p));
	return (int)syscall(SYS_io_uring_setup, 1, p);
}

FIXTURE_SETUP(uring)
{
	MUST_ROOT();
	/* No ring of our own: its end interrupts whoever made it, later. */
	if (syscall(SYS_io_uring_setup, 0, NULL) &&
	    (errno == ENOSYS || errno == EPERM))
		SKIP(return, "needs io_uring: %s", strerror(errno));
	self->control = control_open();
	self->gate = gate_create(self->control, POINT(AIO), DEADLINE_MS);
	ASSERT_LE(0, self->gate);
}

FIXTURE_TEARDOWN(uring)
{
	close(self->gate);
	close(self->control);
}

static char *map_ring(int ring, size_t size, off_t what)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, what);
}

/* Returns the ring. */
static int submit_read(int fd, __u8 flags, struct io_uring_params *p)
{
	static char buffer[8];
	int ring = ring_setup(p);
	size_t size = p->sq_off.array + sizeof(__u32);
	char *sq = map_ring(ring, size, IORING_OFF_SQ_RING);
	struct io_uring_sqe *sqe =
		(void *)map_ring(ring, sizeof(*sqe), IORING_OFF_SQES);

	if (sq == MAP_FAILED || sqe == MAP_FAILED)
		_exit(100);
	*sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.flags = flags,
		.fd = fd,
		.addr = (unsigned long)buffer,
		.len = sizeof(buffer),
	};
	*(__u32 *)(sq + p->sq_off.array) = 0;
	__atomic_store_n((__u32 *)(sq + p->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) != 1)
		_exit(101);
	return ring;
}

/* Waits for the completion and returns its result. */
static int await_result(int ring, const struct io_uring_params *p)
{
	size_t size =
		p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	char *cq = map_ring(ring, size, IORING_OFF_CQ_RING);

	if (cq == MAP_FAILED || syscall(SYS_io_uring_enter, ring, 0, 1,
					IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		_exit(102);
	return ((struct io_uring_cqe *)(cq + p->cq_off.cqes))->res;
}

enum end { COMPLETION, SIGNAL, EXEC };

/* An enrolled child with a request that is held. */
static pid_t requester(int gate, __u8 flags, enum end end)
{
	struct io_uring_params p;
	pid_t pid = fork();
	int ring;

	if (pid)
		return await(gate, 1, AWAIT_MS) ? -1 : pid;
	enrol(gate, UNDEAD_ENROL_GROUP, 0);
	ring = submit_read(gate, flags, &p);
	if (end == COMPLETION)
		_exit(await_result(ring, &p) ? 1 : 0);
	/* It would cancel what a worker has not begun. */
	if (end == EXEC && !await(gate, 1, AWAIT_MS))
		execl("/proc/self/exe", "uring_test", "-h", NULL);
	if (end == SIGNAL)
		pause();
	_exit(103);
}

TEST_F(uring, request_completes)
{
	struct undead_hold e;
	pid_t pid = requester(self->gate, variant->flags, COMPLETION);

	ASSERT_LT(0, pid);
	ASSERT_EQ(1, list(self->gate, 0, &e, 1));
	EXPECT_EQ(UNDEAD_POINT_AIO, e.point);
	EXPECT_EQ(pid, e.tgid);
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_HOLD, e.id, NULL));
	EXPECT_EQ(0, ended(pid));
}

static bool anybody_in(const char *function)
{
	long until = now_ms() + AWAIT_MS;
	pid_t pid;

	do {
		for (pid = 1; pid < 4096; pid++)
			if (on_stack(pid, function))
				return true;
	} while (now_ms() < until);
	return false;
}

/*
 * do_exit() -> io_uring_files_cancel() does not cancel or await what is not of
 * its own files; the ring is left to a kworker, in io_ring_exit_work().
 */
TEST_F(uring, exit_does_not_wait)
{
	pid_t pid = requester(self->gate, variant->flags, SIGNAL);

	ASSERT_LT(0, pid);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(SIGKILL, ended(pid));
	EXPECT_EQ(1, counters(self->gate).held);
	EXPECT_TRUE(anybody_in("io_ring_exit_work"));
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_ALL, 0, NULL));
	EXPECT_EQ(0, counters(self->gate).held);
}

/* Of the kernel, in ticks. */
static unsigned long cpu_time(pid_t pid)
{
	unsigned long ticks = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (file &&
	    fscanf(file,
		   "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %lu",
		   &ticks) != 1)
		ticks = 0;
	if (file)
		fclose(file);
	return ticks;
}

static bool await_cpu_time(pid_t pid, unsigned long ticks)
{
	long until = now_ms() + AWAIT_MS;

	while (cpu_time(pid) < ticks && now_ms() < until)
		poll(NULL, 0, 10);
	return cpu_time(pid) >= ticks;
}

/*
 * io_uring_task_cancel() waits for every request, in TASK_INTERRUPTIBLE and
 * without a look at signals: S, and with one pending schedule() returns at once,
 * so that it spins (and is R or S, as it is looked at).
 */
TEST_F(uring, exec_waits_and_is_deaf)
{
	pid_t pid = requester(self->gate, variant->flags, EXEC);
	unsigned long before;

	ASSERT_LT(0, pid);
	EXPECT_TRUE(await_stack(pid, "io_uring_cancel_generic"));
	EXPECT_TRUE(await_state(pid, 'S'));
	before = cpu_time(pid);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_TRUE(await_cpu_time(pid, before + BUSY_TICKS));
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	EXPECT_EQ(1, counters(self->gate).held);
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_ALL, 0, NULL));
	EXPECT_EQ(SIGKILL, ended(pid));
}

TEST_HARNESS_MAIN
