// SPDX-License-Identifier: GPL-2.0
/*
 * The contract of every ioctl, who may open the device, and its limits.
 */
#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "device.h"

union arg {
	__u32 head[2]; /* size, flags */
	struct undead_info info;
	struct undead_gate_create create;
	struct undead_hold_req hold;
	struct undead_release release;
	struct undead_open open;
	struct undead_rearm rearm;
	struct undead_await await;
	struct undead_list list;
	struct undead_counters counters;
	struct undead_enrol enrol;
	char room[8192];
};

FIXTURE(file)
{
	int control;
	int gate;
	char *pages; /* two of them, the second cannot be touched */
	size_t page;
};

/* Each ioctl, with a struct that succeeds. */
FIXTURE_VARIANT(file)
{
	unsigned int cmd;
	size_t size;
	bool control, gate; /* the kinds of file that it belongs to */
	bool replies;
	union arg arg;
};

#define CALL(name, type, on_control, on_gate, out, ...)                 \
	FIXTURE_VARIANT_ADD(file, name)                                 \
	{                                                               \
		.cmd = UNDEAD_IOC_##name, .size = sizeof(struct type),  \
		.control = on_control, .gate = on_gate, .replies = out, \
		.arg = { __VA_ARGS__ },                                 \
	}

CALL(INFO, undead_info, true, false, true, .head = { 0 });
CALL(GATE_CREATE, undead_gate_create, true, false, true,
     .create = { .deadline_ms = DEADLINE_MS });
CALL(HOLD, undead_hold_req, false, true, false, .head = { 0 });
CALL(RELEASE, undead_release, true, true, true,
     .release = { .what = UNDEAD_RELEASE_ALL });
CALL(OPEN, undead_open, true, true, true, .head = { 0 });
CALL(REARM, undead_rearm, false, true, false, .head = { 0 });
CALL(AWAIT, undead_await, false, true, true, .head = { 0 });
CALL(LIST, undead_list, true, true, true,
     .list = { .entry_size = sizeof(struct undead_hold) });
CALL(COUNTERS, undead_counters, true, true, true, .head = { 0 });
CALL(ENROL, undead_enrol, false, true, false, .head = { 0 });

FIXTURE_SETUP(file)
{
	MUST_ROOT();
	self->control = control_open();
	ASSERT_LE(0, self->control);
	self->gate = gate_create(self->control, 0, DEADLINE_MS);
	ASSERT_LE(0, self->gate);
	self->page = sysconf(_SC_PAGESIZE);
	self->pages = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->pages);
	ASSERT_EQ(0, mprotect(self->pages + self->page, self->page, PROT_NONE));
}

FIXTURE_TEARDOWN(file)
{
	close(self->gate);
	close(self->control);
}

/* Calls it on every kind of file that has it; all must agree. */
#define EXPECT_CALL(wanted, address)                                           \
	do {                                                                   \
		if (variant->control)                                          \
			EXPECT_EQ(wanted,                                      \
				  call(self->control, variant->cmd, address)); \
		if (variant->gate)                                             \
			EXPECT_EQ(wanted,                                      \
				  call(self->gate, variant->cmd, address));    \
	} while (0)

/* 0 or the errno; a gate that was made is closed. */
static int call(int fd, unsigned int cmd, void *arg)
{
	struct undead_gate_create *create = arg;

	if (ioctl(fd, cmd, arg))
		return errno;
	if (cmd == UNDEAD_IOC_GATE_CREATE)
		close(create->fd);
	return 0;
}

static union arg prepared(const union arg *from, size_t size)
{
	union arg arg = *from;

	arg.head[0] = size;
	return arg;
}

TEST_F(file, succeeds)
{
	union arg arg = prepared(&variant->arg, variant->size);

	EXPECT_CALL(0, &arg);
	EXPECT_EQ(variant->size, arg.head[0]);
}

TEST_F(file, wrong_kind_of_file)
{
	union arg arg = prepared(&variant->arg, variant->size);

	if (!variant->control)
		EXPECT_EQ(ENOTTY, call(self->control, variant->cmd, &arg));
	if (!variant->gate)
		EXPECT_EQ(ENOTTY, call(self->gate, variant->cmd, &arg));
}

TEST_F(file, too_short)
{
	union arg arg;
	size_t size;

	for (size = 0; size < variant->size; size++) {
		arg = prepared(&variant->arg, size);
		EXPECT_CALL(EINVAL, &arg);
	}
}

TEST_F(file, longer_with_zero_tail)
{
	union arg arg = prepared(&variant->arg, variant->size + 8);

	EXPECT_CALL(0, &arg);
	EXPECT_EQ(variant->size + 8, arg.head[0]);
	arg = prepared(&variant->arg, self->page);
	EXPECT_CALL(0, &arg);
}

TEST_F(file, longer_with_another_tail)
{
	union arg arg = prepared(&variant->arg, variant->size + 8);

	arg.room[variant->size + 7] = 1;
	EXPECT_CALL(E2BIG, &arg);
	arg = prepared(&variant->arg, sizeof(arg));
	EXPECT_CALL(E2BIG, &arg);
	arg = prepared(&variant->arg, UINT32_MAX);
	EXPECT_CALL(E2BIG, &arg);
}

TEST_F(file, unknown_flag)
{
	union arg arg = prepared(&variant->arg, variant->size);
	int bit;

	for (bit = 4; bit < 32; bit++) {
		arg.head[1] = 1U << bit;
		EXPECT_CALL(EINVAL, &arg);
	}
}

TEST_F(file, bad_pointer)
{
	char *end = self->pages + self->page;
	union arg arg = prepared(&variant->arg, variant->size);

	EXPECT_CALL(EFAULT, NULL);
	EXPECT_CALL(EFAULT, end);
	EXPECT_CALL(EFAULT, (void *)-4096L);
	memcpy(end - variant->size + 1, &arg, variant->size - 1);
	EXPECT_CALL(EFAULT, end - variant->size + 1);
	memcpy(end - variant->size, &arg, variant->size);
	EXPECT_CALL(0, end - variant->size);
}

/* What cannot be written back must not have been done. */
TEST_F(file, read_only)
{
	union arg arg = prepared(&variant->arg, variant->size);
	struct undead_info before = info(self->control), after;

	if (!variant->replies)
		SKIP(return, "has nothing to reply");
	memcpy(self->pages, &arg, variant->size);
	ASSERT_EQ(0, mprotect(self->pages, self->page, PROT_READ));
	EXPECT_CALL(EFAULT, self->pages);
	after = info(self->control);
	EXPECT_EQ(before.gates, after.gates);
	if (variant->cmd == UNDEAD_IOC_OPEN)
		EXPECT_EQ(ETIMEDOUT, await(self->gate, 1, 0) ? errno : 0);
}

TEST_F(file, unknown_ioctl)
{
	union arg arg = prepared(&variant->arg, variant->size);
	unsigned int nr = _IOC_NR(variant->cmd);

	EXPECT_EQ(ENOTTY,
		  call(self->control, _IO(UNDEAD_IOC_MAGIC, 0xff), &arg));
	EXPECT_EQ(ENOTTY, call(self->gate, _IO(UNDEAD_IOC_MAGIC, 0xff), &arg));
	EXPECT_EQ(ENOTTY, call(self->control, _IO('T', nr), &arg));
	EXPECT_EQ(ENOTTY,
		  call(self->gate,
		       _IOWR(UNDEAD_IOC_MAGIC, nr, struct undead_list), &arg));
}

TEST(reserved_fields)
{
	struct undead_info in = { .size = sizeof(in), .__reserved = 1 };
	struct undead_gate_create create = {
		.size = sizeof(create),
		.deadline_ms = 1,
		.__reserved = 1,
	};
	struct undead_release out = { .size = sizeof(out), .__reserved = 1 };
	struct undead_list all = {
		.size = sizeof(all),
		.__reserved = 1,
		.entry_size = sizeof(struct undead_hold),
	};
	int fd;

	MUST_ROOT();
	fd = control_open();
	EXPECT_EQ(EINVAL, call(fd, UNDEAD_IOC_INFO, &in));
	EXPECT_EQ(EINVAL, call(fd, UNDEAD_IOC_GATE_CREATE, &create));
	EXPECT_EQ(EINVAL, call(fd, UNDEAD_IOC_RELEASE, &out));
	EXPECT_EQ(EINVAL, call(fd, UNDEAD_IOC_LIST, &all));
}

TEST(info_tells)
{
	struct undead_info in;
	int fd, gate;

	MUST_ROOT();
	fd = control_open();
	in = info(fd);
	EXPECT_EQ(UNDEAD_ABI, in.abi);
	EXPECT_EQ(POINT(READ) | POINT(IOCTL),
		  in.points & (POINT(READ) | POINT(IOCTL)));
	EXPECT_EQ(1, in.kinds & 1);
	EXPECT_EQ(60000, in.default_deadline_ms);
	EXPECT_EQ(3600000, in.max_deadline_ms);
	gate = gate_create(fd, 0, 1);
	EXPECT_EQ(in.gates + 1, info(fd).gates);
	close(gate);
	EXPECT_EQ(in.gates, info(fd).gates);
}

/* Runs in a child: the errno of opening the device without what is dropped. */
static int open_errno(void (*drop)(void))
{
	pid_t pid = fork();

	if (!pid) {
		drop();
		_exit(control_open() < 0 ? errno : 0);
	}
	return WEXITSTATUS(ended(pid));
}

static void nothing(void)
{
}

static void become_nobody(void)
{
	if (setgid(65534) || setuid(65534))
		_exit(255);
}

static void drop_sys_admin(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		_exit(255);
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	data[0].permitted &= ~(1U << CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &head, data))
		_exit(255);
}

/* All capabilities, but in a user namespace of its own. */
static void enter_user_namespace(void)
{
	if (unshare(CLONE_NEWUSER))
		_exit(254);
}

/* Whoever is held for the default time is not yet a hung task. */
TEST(default_is_below_the_hung_task_detector)
{
	FILE *file = fopen("/proc/sys/kernel/hung_task_timeout_secs", "re");
	unsigned long s = 0;

	MUST_ROOT();
	if (file && fscanf(file, "%lu", &s) != 1)
		s = 0;
	if (file)
		fclose(file);
	if (!s)
		SKIP(return, "needs CONFIG_DETECT_HUNG_TASK");
	EXPECT_GT(s * 1000, info(control_open()).default_deadline_ms);
}

TEST(who_may_open)
{
	struct stat st;
	int err;

	MUST_ROOT();
	ASSERT_EQ(0, stat(DEVICE, &st));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, open_errno(nothing));
	EXPECT_EQ(EACCES, open_errno(become_nobody));
	EXPECT_EQ(EPERM, open_errno(drop_sys_admin));
	err = open_errno(enter_user_namespace);
	if (err != 254)
		EXPECT_EQ(EPERM, err);
}

/* 0 or the errno. */
static int try_create(int fd, __u32 flags, __u32 points, __u32 kind,
		      __u64 deadline_ms)
{
	struct undead_gate_create create = {
		.size = sizeof(create),
		.flags = flags,
		.points = points,
		.kind = kind,
		.deadline_ms = deadline_ms,
	};

	return call(fd, UNDEAD_IOC_GATE_CREATE, &create);
}

TEST(gate_arguments)
{
	struct undead_info in;
	int fd, bit;

	MUST_ROOT();
	fd = control_open();
	in = info(fd);
	EXPECT_EQ(EINVAL, try_create(fd, 0, 0, 0, 0));
	EXPECT_EQ(0, try_create(fd, 0, 0, 0, 1));
	EXPECT_EQ(0, try_create(fd, 0, 0, 0, in.max_deadline_ms));
	EXPECT_EQ(ERANGE, try_create(fd, 0, 0, 0, in.max_deadline_ms + 1));
	EXPECT_EQ(ERANGE, try_create(fd, 0, 0, 0, UINT64_MAX));
	for (bit = 0; bit < 32; bit++) {
		EXPECT_EQ(in.points & (1U << bit) ? 0 : EOPNOTSUPP,
			  try_create(fd, 0, 1U << bit, 0, 1));
		EXPECT_EQ(in.kinds & (1U << bit) ? 0 : EOPNOTSUPP,
			  try_create(fd, 0, 0, bit, 1));
	}
	EXPECT_EQ(EOPNOTSUPP, try_create(fd, 0, 0, 32, 1));
	EXPECT_EQ(EOPNOTSUPP, try_create(fd, 0, 0, UINT32_MAX, 1));
	EXPECT_EQ(in.gates, info(fd).gates);
}

TEST(unbounded_only_when_allowed)
{
	int fd;

	MUST_ROOT();
	fd = control_open();
	EXPECT_EQ(EPERM, try_create(fd, UNDEAD_GATE_UNBOUNDED, 0, 0, 0));
	ASSERT_TRUE(set_parameter("unbounded", "1"));
	EXPECT_EQ(0, try_create(fd, UNDEAD_GATE_UNBOUNDED, 0, 0, 0));
	EXPECT_EQ(EINVAL, try_create(fd, UNDEAD_GATE_UNBOUNDED, 0, 0, 1));
	ASSERT_TRUE(set_parameter("unbounded", "0"));
}

TEST(gate_fd_closes_on_exec)
{
	int fd;

	MUST_ROOT();
	fd = gate_create(control_open(), 0, 1);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
}

/* The limit is lowered for the whole system: nobody else may run meanwhile. */
TEST(most_gates)
{
	char value[16];
	int fd;

	MUST_ROOT();
	fd = control_open();
	snprintf(value, sizeof(value), "%u", info(fd).gates + 1);
	ASSERT_TRUE(set_parameter("max_gates", value));
	EXPECT_LE(0, gate_create(fd, 0, 1));
	EXPECT_EQ(ENFILE, try_create(fd, 0, 0, 0, 1));
	ASSERT_TRUE(set_parameter("max_gates", "4096"));
	EXPECT_EQ(0, try_create(fd, 0, 0, 0, 1));
}

TEST(most_holds)
{
	int fd, gate;
	pid_t pid;

	MUST_ROOT();
	fd = control_open();
	gate = gate_create(fd, POINT(READ), DEADLINE_MS);
	ASSERT_TRUE(set_parameter("max_holds", "1"));
	pid = reader(gate);
	EXPECT_EQ(0, await(gate, 1, AWAIT_MS));
	EXPECT_EQ(EUSERS, WEXITSTATUS(ended(reader(gate))));
	EXPECT_EQ(EUSERS, WEXITSTATUS(ended(reader(fd))));
	EXPECT_EQ(1, counters(gate).refused);
	ASSERT_TRUE(set_parameter("max_holds", "32768"));
	EXPECT_EQ(0, gate_open(gate, 0, NULL));
	EXPECT_EQ(0, ended(pid));
}

TEST(no_fd_left)
{
	struct rlimit limit = { 0, 0 }, old;
	struct undead_info in;
	int fd, err;

	MUST_ROOT();
	fd = control_open();
	in = info(fd);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	err = try_create(fd, 0, 0, 0, 1);
	setrlimit(RLIMIT_NOFILE, &old);
	EXPECT_EQ(EMFILE, err);
	EXPECT_EQ(in.gates, info(fd).gates);
}

TEST_HARNESS_MAIN
