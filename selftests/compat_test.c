// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit caller on a 64-bit kernel: int $0x80 from a 64-bit program takes the
 * same way, with everything it points at below 4 GiB.
 */
#include <stdint.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "device.h"

#ifdef __x86_64__

#define NR32_GETPID 20
#define NR32_IOCTL  54

static long syscall32(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(nr), "b"(a), "c"(b), "d"(c)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

/* A kernel without 32-bit programs kills the caller. */
static bool has_32_bit(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(syscall32(NR32_GETPID, 0, 0, 0) != getpid());
	return !ended(pid);
}

FIXTURE(compat)
{
	int control;
	union {
		struct undead_info info;
		struct undead_gate_create create;
		struct undead_await await;
		struct undead_list list;
		struct undead_release release;
		struct undead_counters counters;
	} * arg;
	struct undead_hold *holds;
};

FIXTURE_SETUP(compat)
{
	MUST_ROOT();
	if (!has_32_bit())
		SKIP(return, "needs CONFIG_IA32_EMULATION");
	self->control = control_open();
	self->arg = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->arg);
	ASSERT_GT(1UL << 32, (unsigned long)self->arg);
	self->holds = (void *)(self->arg + 1);
}

FIXTURE_TEARDOWN(compat)
{
	close(self->control);
}

TEST_F(compat, whole_story)
{
	pid_t pid;
	int gate;

	self->arg->info =
		(struct undead_info){ .size = sizeof(self->arg->info) };
	EXPECT_EQ(0, syscall32(NR32_IOCTL, self->control, UNDEAD_IOC_INFO,
			       (long)self->arg));
	EXPECT_EQ(UNDEAD_ABI, self->arg->info.abi);
	EXPECT_EQ(3600000, self->arg->info.max_deadline_ms);

	self->arg->create = (struct undead_gate_create){
		.size = sizeof(self->arg->create),
		.points = POINT(READ),
		.deadline_ms = DEADLINE_MS,
	};
	EXPECT_EQ(0, syscall32(NR32_IOCTL, self->control,
			       UNDEAD_IOC_GATE_CREATE, (long)self->arg));
	gate = self->arg->create.fd;
	pid = reader(gate);

	self->arg->await = (struct undead_await){
		.size = sizeof(self->arg->await),
		.count = 1,
		.timeout_ms = AWAIT_MS,
	};
	EXPECT_EQ(0, syscall32(NR32_IOCTL, gate, UNDEAD_IOC_AWAIT,
			       (long)self->arg));
	EXPECT_EQ(1, self->arg->await.held);

	self->arg->list = (struct undead_list){
		.size = sizeof(self->arg->list),
		.entries = (unsigned long)self->holds,
		.entry_size = sizeof(*self->holds),
		.capacity = 1,
	};
	EXPECT_EQ(0, syscall32(NR32_IOCTL, gate, UNDEAD_IOC_LIST,
			       (long)self->arg));
	EXPECT_EQ(1, self->arg->list.count);
	EXPECT_EQ(pid, self->holds->tid);

	self->arg->release = (struct undead_release){
		.size = sizeof(self->arg->release),
		.what = UNDEAD_RELEASE_HOLD,
		.id = self->holds->id,
	};
	EXPECT_EQ(0, syscall32(NR32_IOCTL, gate, UNDEAD_IOC_RELEASE,
			       (long)self->arg));
	EXPECT_EQ(0, ended(pid));
}

TEST_F(compat, refusals)
{
	EXPECT_EQ(-EFAULT,
		  syscall32(NR32_IOCTL, self->control, UNDEAD_IOC_INFO, 0));
	self->arg->info = (struct undead_info){ .size = 4 };
	EXPECT_EQ(-EINVAL, syscall32(NR32_IOCTL, self->control, UNDEAD_IOC_INFO,
				     (long)self->arg));
	EXPECT_EQ(-ENOTTY, syscall32(NR32_IOCTL, self->control, UNDEAD_IOC_HOLD,
				     (long)self->arg));
}

#else

TEST(compat)
{
	SKIP(return, "int $0x80 is of x86");
}

#endif

TEST_HARNESS_MAIN
