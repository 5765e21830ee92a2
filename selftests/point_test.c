// SPDX-License-Identifier: GPL-2.0
/*
 * Where a thread is held at each point, told by its stack, by PF_EXITING, and
 * by whether it has an mm and files still. Only enrolled threads are held.
 *
 * We are the owner; the victim is a child of ours that enrols itself.
 */
#include <linux/aio_abi.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "device.h"

#define PF_EXITING 0x4
#define PAGE       4096

/* What the kernel says of a thread. */
struct seen {
	bool exiting, mm, files;
};

FIXTURE(point)
{
	int control;
	int gate;
	pid_t victim;
	struct undead_hold hold; /* as it was seen last */
	struct seen seen;
};

FIXTURE_SETUP(point)
{
	MUST_ROOT();
	self->control = control_open();
	ASSERT_LE(0, self->control);
	self->gate = -1;
}

FIXTURE_TEARDOWN(point)
{
	gate_open(self->control, 0, NULL);
	close(self->gate);
	close(self->control);
}

static struct seen look(pid_t tid)
{
	struct seen seen = { 0 };
	unsigned int flags = 0, n;
	char line[512], *end;
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/stat", tid);
	file = fopen(line, "re");
	end = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') :
							NULL;
	if (end && sscanf(end, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1)
		seen.exiting = flags & PF_EXITING;
	if (file)
		fclose(file);
	snprintf(line, sizeof(line), "/proc/%d/status", tid);
	file = fopen(line, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "FDSize: %u", &n) == 1)
			seen.files = n;
		if (!strncmp(line, "VmRSS:", 6))
			seen.mm = true;
	}
	if (file)
		fclose(file);
	return seen;
}

static pid_t victim(int gate, void (*act)(int gate))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (enrol(gate, UNDEAD_ENROL_GROUP, 0))
		_exit(99);
	act(gate);
	_exit(0);
}

/* It is held there, and asleep, with this much of itself left. */
#define EXPECT_HELD(at, how, tells, is_exiting, has_mm, has_files)    \
	do {                                                          \
		EXPECT_EQ(0, await(self->gate, 1, AWAIT_MS));         \
		EXPECT_EQ(1, list(self->control, 0, &self->hold, 1)); \
		EXPECT_EQ(UNDEAD_POINT_##at, self->hold.point);       \
		EXPECT_EQ(UNDEAD_WHERE_##how, self->hold.where);      \
		EXPECT_TRUE(await_state(self->hold.tid, 'D'));        \
		EXPECT_TRUE(await_stack(self->hold.tid, tells));      \
		self->seen = look(self->hold.tid);                    \
		EXPECT_EQ(is_exiting, self->seen.exiting);            \
		EXPECT_EQ(has_mm, self->seen.mm);                     \
		EXPECT_EQ(has_files, self->seen.files);               \
	} while (0)

/* Released, the victim goes on and ends well. */
#define EXPECT_GOES_ON(pid)                                                  \
	do {                                                                 \
		EXPECT_EQ(0,                                                 \
			  release(self->gate, UNDEAD_RELEASE_ALL, 0, NULL)); \
		EXPECT_EQ(0, ended(pid));                                    \
	} while (0)

static char *map(int gate)
{
	char *at =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, gate, 0);

	if (at == MAP_FAILED)
		_exit(98);
	return at;
}

static void touch(int gate)
{
	char *at = map(gate);

	if (*at)
		_exit(1);
	*at = 'x';
	_exit(*at == 'x' ? 0 : 2);
}

TEST_F(point, fault_from_user_code)
{
	pid_t pid;

	self->gate = gate_create(self->control, POINT(FAULT), DEADLINE_MS);
	pid = victim(self->gate, touch);
	EXPECT_HELD(FAULT, NONE, "undead_gate_fault", false, true, true);
	EXPECT_GOES_ON(pid);
}

static void touch_private(int gate)
{
	char *at =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, gate, 0);

	*at = 'x';
	_exit(*at == 'x' ? 0 : 2);
}

TEST_F(point, fault_in_a_private_mapping)
{
	pid_t pid;

	self->gate = gate_create(self->control, POINT(FAULT), DEADLINE_MS);
	pid = victim(self->gate, touch_private);
	EXPECT_HELD(FAULT, NONE, "undead_gate_fault", false, true, true);
	EXPECT_GOES_ON(pid);
}

static void copy_to_user(int gate)
{
	char *at = map(gate);
	int fds[2];

	if (pipe(fds) || write(fds[1], "x", 1) != 1)
		_exit(1);
	_exit(read(fds[0], at, 1) == 1 && *at == 'x' ? 0 : 2);
}

TEST_F(point, fault_from_a_copy_to_user)
{
	pid_t pid;

	self->gate = gate_create(self->control, POINT(FAULT), DEADLINE_MS);
	pid = victim(self->gate, copy_to_user);
	EXPECT_HELD(FAULT, NONE, "vfs_read", false, true, true);
	EXPECT_GOES_ON(pid);
}

static void *end_with_tid_address(void *at)
{
	syscall(SYS_set_tid_address, at);
	syscall(SYS_exit, 0);
	return NULL;
}

/* The kernel clears the tid there: mm_release() in do_exit(). */
static void exit_into_mapping(int gate)
{
	char *at = map(gate);
	pthread_t thread;

	pthread_create(&thread, NULL, end_with_tid_address, at);
	for (;;)
		pause();
}

TEST_F(point, fault_in_mm_release_by_the_tid_address)
{
	pid_t pid, tid;

	self->gate = gate_create(self->control, POINT(FAULT), DEADLINE_MS);
	pid = victim(self->gate, exit_into_mapping);
	EXPECT_HELD(FAULT, NONE, "mm_release", true, true, true);
	tid = self->hold.tid;
	EXPECT_NE(pid, tid);
	EXPECT_EQ(pid, self->hold.tgid);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_TRUE(await_state(pid, 'Z'));
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	EXPECT_EQ('D', state_of(tid));
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_ALL, 0, NULL));
	EXPECT_EQ(SIGKILL, ended(pid));
}

static void exit_with_robust_list(int gate)
{
	syscall(SYS_set_robust_list, map(gate), 24);
}

TEST_F(point, fault_in_mm_release_by_the_robust_list)
{
	pid_t pid;

	self->gate = gate_create(self->control, POINT(FAULT), DEADLINE_MS);
	pid = victim(self->gate, exit_with_robust_list);
	EXPECT_HELD(FAULT, NONE, "do_exit", true, true, true);
	EXPECT_GOES_ON(pid);
}

static void *touch_in_thread(void *at)
{
	return (void *)(long)*(volatile char *)at;
}

/* While the thread is held, the leader wants mmap_lock for writing. */
static void map_beside_a_fault(int gate)
{
	pthread_t thread;
	char *at = map(gate);

	pthread_create(&thread, NULL, touch_in_thread, at);
	if (await(gate, 1, AWAIT_MS))
		_exit(1);
	mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (;;)
		pause();
}

TEST_F(point, fault_holds_mmap_lock)
{
	pid_t pid;

	self->gate = gate_create(self->control, POINT(FAULT), DEADLINE_MS);
	pid = victim(self->gate, map_beside_a_fault);
	EXPECT_TRUE(await_state(pid, 'D'));
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_ALL, 0, NULL));
	EXPECT_TRUE(await_state(pid, 'S'));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(SIGKILL, ended(pid));
}

TEST_F(point, fault_holds_the_vma_lock_alone)
{
	struct undead_gate_create arg = {
		.size = sizeof(arg),
		.flags = UNDEAD_GATE_VMA_LOCK,
		.points = POINT(FAULT),
		.deadline_ms = DEADLINE_MS,
	};
	pid_t pid;

	if (ioctl(self->control, UNDEAD_IOC_GATE_CREATE, &arg)) {
		ASSERT_EQ(EOPNOTSUPP, errno);
		SKIP(return, "a fault takes mmap_lock on this kernel");
	}
	self->gate = arg.fd;
	pid = victim(self->gate, map_beside_a_fault);
	EXPECT_EQ(0, await(self->gate, 1, AWAIT_MS));
	EXPECT_TRUE(await_stack(pid, "pause"));
	EXPECT_EQ(0, await(self->gate, 1, 0));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_ALL, 0, NULL));
	EXPECT_EQ(SIGKILL, ended(pid));
}

static void unmap(int gate)
{
	munmap(map(gate), PAGE);
}

static void map_over(int gate)
{
	mmap(map(gate), PAGE, PROT_READ,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void move_over(int gate)
{
	void *at =
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map(gate));
}

static void map_and_exit(int gate)
{
	map(gate);
}

static void map_and_exec(int gate)
{
	map(gate);
	execlp("true", "true", NULL);
}

#define VMA_CLOSE(name, how, act, is_exiting, has_mm, has_files)          \
	TEST_F(point, name)                                               \
	{                                                                 \
		self->gate = gate_create(self->control, POINT(VMA_CLOSE), \
					 DEADLINE_MS);                    \
		self->victim = victim(self->gate, act);                   \
		EXPECT_HELD(VMA_CLOSE, how, "undead_gate_vma_close",      \
			    is_exiting, has_mm, has_files);               \
		EXPECT_GOES_ON(self->victim);                             \
	}

VMA_CLOSE(vma_close_by_munmap, MUNMAP, unmap, false, true, true)
VMA_CLOSE(vma_close_by_map_fixed, REPLACED, map_over, false, true, true)
VMA_CLOSE(vma_close_by_mremap, REPLACED, move_over, false, true, true)
VMA_CLOSE(vma_close_by_exit, EXIT, map_and_exit, true, false, true)

/* Up to 6.12 exec_update_lock is held here: most of /proc/PID blocks. */
TEST_F(point, vma_close_by_exec)
{
	struct undead_hold e = { 0 };
	pid_t pid;

	self->gate = gate_create(self->control, POINT(VMA_CLOSE), DEADLINE_MS);
	pid = victim(self->gate, map_and_exec);
	EXPECT_EQ(0, await(self->gate, 1, AWAIT_MS));
	EXPECT_EQ(1, list(self->gate, 0, &e, 1));
	EXPECT_EQ(UNDEAD_POINT_VMA_CLOSE, e.point);
	EXPECT_EQ(UNDEAD_WHERE_EXEC, e.where);
	EXPECT_TRUE(await_state(pid, 'D'));
	EXPECT_GOES_ON(pid);
}

TEST_F(point, mapping_does_not_split)
{
	char *at;

	self->gate = gate_create(self->control, 0, DEADLINE_MS);
	at = mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, self->gate, 0);
	ASSERT_NE(MAP_FAILED, at);
	EXPECT_EQ(-1, munmap(at + PAGE, PAGE));
	EXPECT_EQ(-1, mprotect(at + PAGE, PAGE, PROT_NONE));
	EXPECT_EQ(0, munmap(at, 3 * PAGE));
}

/* A mapping is for those who made it and touch it. */
TEST_F(point, mapping_catches_nobody_else)
{
	char path[64], c, *at, *own;
	pid_t pid;
	int fd;

	self->gate = gate_create(self->control, POINT(FAULT), DEADLINE_MS);
	at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->gate, 0);
	ASSERT_NE(MAP_FAILED, at);
	snprintf(path, sizeof(path), "/proc/%d/mem", getpid());
	pid = fork();
	if (!pid) {
		if (enrol(self->gate, 0, 0))
			_exit(1);
		own = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE,
			   self->gate, 0);
		if (own == MAP_FAILED || munmap(own, PAGE))
			_exit(2);
		fd = open(path, O_RDONLY);
		if (fd < 0 || pread(fd, &c, 1, (off_t)at) >= 0)
			_exit(3);
		_exit(*(volatile char *)at);
	}
	EXPECT_EQ(SIGSEGV, ended(pid) & ~0x80);
	EXPECT_EQ(0, counters(self->gate).admitted);
}

static void do_close(int gate)
{
	close(gate);
}

TEST_F(point, flush_by_close)
{
	pid_t pid;

	self->gate = gate_create(self->control, POINT(FLUSH), DEADLINE_MS);
	pid = victim(self->gate, do_close);
	EXPECT_HELD(FLUSH, NONE, "undead_gate_flush", false, true, true);
	EXPECT_GOES_ON(pid);
}

static void do_nothing(int gate)
{
}

TEST_F(point, flush_by_exit)
{
	pid_t pid;

	self->gate = gate_create(self->control, POINT(FLUSH), DEADLINE_MS);
	pid = victim(self->gate, do_nothing);
	EXPECT_HELD(FLUSH, NONE, "undead_gate_flush", true, false, false);
	EXPECT_GOES_ON(pid);
}

/* Only the victim has the fd: it is told to go on when we closed ours. */
TEST_F(point, release_by_exit)
{
	int go[2];
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(go));
	self->gate = gate_create(self->control, POINT(RELEASE), DEADLINE_MS);
	pid = fork();
	if (!pid) {
		close(go[1]);
		enrol(self->gate, UNDEAD_ENROL_GROUP, 0);
		_exit(read(go[0], &c, 1));
	}
	EXPECT_TRUE(await_state(pid, 'S'));
	close(self->gate);
	self->gate = gate_create(self->control, 0, DEADLINE_MS);
	close(go[1]);
	EXPECT_TRUE(await_state(pid, 'D'));
	EXPECT_TRUE(await_stack(pid, "undead_gate_release"));
	EXPECT_TRUE(await_stack(pid, "task_work_run"));
	EXPECT_TRUE(look(pid).exiting);
	EXPECT_FALSE(look(pid).mm);
	EXPECT_FALSE(look(pid).files);
	EXPECT_EQ(0, release(self->control, UNDEAD_RELEASE_TID, pid, NULL));
	EXPECT_EQ(0, ended(pid));
}

static aio_context_t submit(int gate)
{
	static char buffer[8];
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = gate,
		.aio_buf = (unsigned long)buffer,
		.aio_nbytes = sizeof(buffer),
	}, *list[] = { &cb };
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, 1, &context) ||
	    syscall(SYS_io_submit, context, 1, list) != 1)
		_exit(97);
	return context;
}

static void submit_and_wait(int gate)
{
	aio_context_t context = submit(gate);
	struct io_event event;

	if (syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
		_exit(1);
	_exit(event.res ? 2 : 0);
}

TEST_F(point, aio_completes)
{
	struct undead_hold e;
	pid_t pid;

	self->gate = gate_create(self->control, POINT(AIO), DEADLINE_MS);
	pid = victim(self->gate, submit_and_wait);
	EXPECT_EQ(0, await(self->gate, 1, AWAIT_MS));
	EXPECT_EQ(1, list(self->gate, 0, &e, 1));
	EXPECT_EQ(UNDEAD_POINT_AIO, e.point);
	EXPECT_EQ(pid, e.tid);
	EXPECT_TRUE(await_state(pid, 'S'));
	EXPECT_GOES_ON(pid);
}

static void submit_and_exit(int gate)
{
	submit(gate);
}

TEST_F(point, aio_keeps_exit_waiting)
{
	struct seen seen;
	pid_t pid;

	self->gate = gate_create(self->control, POINT(AIO), DEADLINE_MS);
	pid = victim(self->gate, submit_and_exit);
	EXPECT_EQ(0, await(self->gate, 1, AWAIT_MS));
	EXPECT_TRUE(await_state(pid, 'D'));
	EXPECT_TRUE(await_stack(pid, "exit_aio"));
	seen = look(pid);
	EXPECT_TRUE(seen.exiting);
	EXPECT_FALSE(seen.mm);
	EXPECT_TRUE(seen.files);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ('D', state_of(pid));
	EXPECT_GOES_ON(pid);
}

/* Every point that nobody asks for, one after the other. */
static void everything(int gate)
{
	char *at = map(gate);

	*at = 'x';
	munmap(at, PAGE);
	map(gate);
	submit(gate);
	close(dup(gate));
}

#define UNASKED                                                            \
	(POINT(FAULT) | POINT(VMA_CLOSE) | POINT(FLUSH) | POINT(RELEASE) | \
	 POINT(AIO))

TEST_F(point, owner_passes)
{
	self->gate = gate_create(self->control, UNASKED, DEADLINE_MS);
	EXPECT_EQ(0, enrol(self->gate, UNDEAD_ENROL_GROUP, 0));
	everything(self->gate);
	EXPECT_EQ(0, counters(self->gate).admitted);
	EXPECT_LE(4, counters(self->gate).passed);
}

TEST_F(point, strangers_pass)
{
	pid_t pid[100];
	int i;

	self->gate = gate_create(self->control, UNASKED, DEADLINE_MS);
	for (i = 0; i < 100; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			everything(self->gate);
			_exit(0);
		}
	}
	for (i = 0; i < 100; i++)
		EXPECT_EQ(0, ended(pid[i]));
	EXPECT_EQ(0, counters(self->gate).admitted);
}

static void *touch_as_thread(void *at)
{
	*(volatile char *)at = 'x';
	return NULL;
}

/* The leader is enrolled, alone: its sibling passes. */
TEST_F(point, sibling_passes)
{
	pid_t pid;

	self->gate = gate_create(self->control, POINT(FAULT), DEADLINE_MS);
	pid = fork();
	if (!pid) {
		char *at = mmap(NULL, 2 * PAGE, PROT_WRITE, MAP_SHARED,
				self->gate, 0);
		pthread_t thread;

		enrol(self->gate, 0, 0);
		pthread_create(&thread, NULL, touch_as_thread, at);
		pthread_join(thread, NULL);
		at[PAGE] = 'x';
		_exit(0);
	}
	EXPECT_EQ(0, await(self->gate, 1, AWAIT_MS));
	EXPECT_EQ(1, counters(self->gate).admitted);
	EXPECT_TRUE(await_state(pid, 'D'));
	EXPECT_GOES_ON(pid);
}

static void enrol_kernel_threads(int gate)
{
	char line[64];
	pid_t pid;
	int ppid;

	for (pid = 3; pid < 1000; pid++) {
		FILE *file;

		snprintf(line, sizeof(line), "/proc/%d/status", pid);
		file = fopen(line, "re");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "PPid: %d", &ppid) == 1 && ppid == 2)
				enrol(gate, 0, pid);
		if (file)
			fclose(file);
	}
}

/* A gate in a socket in itself, with no fd of either. */
static void make_garbage(int gate)
{
	char control[CMSG_SPACE(2 * sizeof(int))] = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		_exit(1);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(cmsg), (int[]){ gate, pair[1] }, 2 * sizeof(int));
	_exit(sendmsg(pair[0], &msg, 0) == 1 ? 0 : 2);
}

/*
 * The garbage collector of unix sockets puts the last reference: from a kworker,
 * or on older kernels from whoever closed a socket.
 */
TEST_F(point, unix_garbage_collector_passes)
{
	long until = now_ms() + AWAIT_MS;
	unsigned int gates = info(self->control).gates;
	pid_t pid;

	self->gate = gate_create(self->control, UNASKED, DEADLINE_MS);
	enrol_kernel_threads(self->gate);
	pid = fork();
	if (!pid)
		make_garbage(self->gate);
	close(self->gate);
	self->gate = -1;
	EXPECT_EQ(0, ended(pid));
	/* Closing a unix socket starts the collector. */
	while (info(self->control).gates != gates && now_ms() < until)
		close(socket(AF_UNIX, SOCK_STREAM, 0));
	EXPECT_EQ(gates, info(self->control).gates);
	EXPECT_EQ(0, counters(self->control).held);
}

/* Readers of /proc take references on what the victims are dropping. */
TEST_F(point, readers_of_proc_pass)
{
	static const char *const files[] = { "maps", "cmdline", "smaps", "fd" };
	pid_t readers[4], pid;
	char path[64];
	int i, round;

	self->gate = gate_create(self->control, POINT(FLUSH), DEADLINE_MS);
	for (i = 0; i < 4; i++) {
		readers[i] = fork();
		if (readers[i])
			continue;
		close(self->gate);
		for (;;) {
			pid_t p;
			char b[4096];

			for (p = getpid() + 1; p < getpid() + 300; p++) {
				int fd;

				snprintf(path, sizeof(path), "/proc/%d/%s", p,
					 files[i]);
				fd = open(path, O_RDONLY);
				while (read(fd, b, sizeof(b)) > 0)
					;
				close(fd);
			}
		}
	}
	for (round = 0; round < 50; round++) {
		pid = victim(self->gate, do_nothing);
		EXPECT_EQ(0, await(self->gate, 1, AWAIT_MS));
		EXPECT_GOES_ON(pid);
	}
	EXPECT_EQ(50, counters(self->gate).admitted);
	for (i = 0; i < 4; i++) {
		kill(readers[i], SIGKILL);
		EXPECT_EQ(SIGKILL, ended(readers[i]));
	}
}

TEST_F(point, who_may_enrol)
{
	pid_t pid, other;

	self->gate = gate_create(self->control, UNASKED, DEADLINE_MS);
	other = fork();
	if (!other)
		for (;;)
			pause();
	EXPECT_EQ(0, enrol(self->gate, 0, other));
	EXPECT_EQ(0, enrol(self->gate, 0, other));
	EXPECT_EQ(0, enrol(self->gate, UNDEAD_ENROL_GROUP, other));
	EXPECT_EQ(ESRCH, enrol(self->gate, 0, -1) ? errno : 0);
	EXPECT_EQ(ESRCH, enrol(self->gate, 0, INT32_MAX) ? errno : 0);
	pid = fork();
	if (!pid) {
		if (enrol(self->gate, 0, 0) || enrol(self->gate, 0, getpid()) ||
		    enrol(self->gate, UNDEAD_ENROL_GROUP, getpid()))
			_exit(1);
		if (!enrol(self->gate, 0, other) || errno != EPERM)
			_exit(2);
		_exit(gate_open(self->gate, 0, NULL) ? 3 : 0);
	}
	EXPECT_EQ(0, ended(pid));
	kill(other, SIGKILL);
	EXPECT_EQ(SIGKILL, ended(other));
	EXPECT_EQ(ESRCH, enrol(self->gate, 0, other) ? errno : 0);
}

TEST_HARNESS_MAIN
