/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the device share. It calls the device directly: a test of
 * the contract must not go through the library that is tested elsewhere.
 *
 * Nothing here sleeps to synchronise: it awaits a count of holds, a state in
 * /proc, or the end of a process, and gives up after AWAIT_MS.
 */
#ifndef UNDEAD_SELFTESTS_DEVICE_H
#define UNDEAD_SELFTESTS_DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/undead.h>

#define DEVICE      "/dev/undead"
#define PARAMETERS  "/sys/module/undead/parameters/"
#define AWAIT_MS    10000
#define DEADLINE_MS 30000

#define POINT(name) (1U << UNDEAD_POINT_##name)

#define MUST_ROOT()                                                \
	do {                                                       \
		if (access(DEVICE, R_OK | W_OK))                   \
			SKIP(return, "needs the module and root"); \
	} while (0)

static inline long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline int control_open(void)
{
	return open(DEVICE, O_RDWR | O_CLOEXEC);
}

/* Returns the fd, or -1 and errno. */
static inline int gate_create(int control, __u32 points, __u64 deadline_ms)
{
	struct undead_gate_create create = {
		.size = sizeof(create),
		.points = points,
		.deadline_ms = deadline_ms,
	};

	return ioctl(control, UNDEAD_IOC_GATE_CREATE, &create) ? -1 : create.fd;
}

static inline int release(int fd, __u32 what, __u64 id, __u64 *released)
{
	struct undead_release arg = {
		.size = sizeof(arg),
		.what = what,
		.id = id,
	};
	int err = ioctl(fd, UNDEAD_IOC_RELEASE, &arg);

	if (released)
		*released = arg.released;
	return err;
}

static inline int gate_open(int fd, __u32 flags, __u64 *released)
{
	struct undead_open arg = { .size = sizeof(arg), .flags = flags };
	int err = ioctl(fd, UNDEAD_IOC_OPEN, &arg);

	if (released)
		*released = arg.released;
	return err;
}

static inline int enrol(int fd, __u32 flags, pid_t tid)
{
	struct undead_enrol arg = {
		.size = sizeof(arg),
		.flags = flags,
		.tid = tid,
	};

	return ioctl(fd, UNDEAD_IOC_ENROL, &arg);
}

static inline int rearm(int fd)
{
	struct undead_rearm arg = { .size = sizeof(arg) };

	return ioctl(fd, UNDEAD_IOC_REARM, &arg);
}

static inline int await(int fd, __u64 count, __u64 timeout_ms)
{
	struct undead_await arg = {
		.size = sizeof(arg),
		.count = count,
		.timeout_ms = timeout_ms,
	};

	return ioctl(fd, UNDEAD_IOC_AWAIT, &arg);
}

/* Returns how many entries were written. */
static inline int list(int fd, __u64 after, struct undead_hold *holds,
		       unsigned int capacity)
{
	struct undead_list arg = {
		.size = sizeof(arg),
		.entries = (unsigned long)holds,
		.entry_size = sizeof(*holds),
		.capacity = capacity,
		.after = after,
	};

	return ioctl(fd, UNDEAD_IOC_LIST, &arg) ? -1 : (int)arg.count;
}

static inline struct undead_counters counters(int fd)
{
	struct undead_counters arg = { .size = sizeof(arg) };

	if (ioctl(fd, UNDEAD_IOC_COUNTERS, &arg))
		memset(&arg, 0xff, sizeof(arg));
	return arg;
}

static inline struct undead_info info(int fd)
{
	struct undead_info arg = { .size = sizeof(arg) };

	if (ioctl(fd, UNDEAD_IOC_INFO, &arg))
		memset(&arg, 0xff, sizeof(arg));
	return arg;
}

/*
 * The letter of its state; 0: gone. Any thread, not only a leader. From status,
 * which never blocks: stat waits for a process that is held inside execve().
 */
static inline char state_of(pid_t tid)
{
	char line[256], state = 0;
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/status", tid);
	file = fopen(line, "re");
	while (file && !state && fgets(line, sizeof(line), file))
		sscanf(line, "State: %c", &state);
	if (file)
		fclose(file);
	return state;
}

static inline bool await_state(pid_t tid, char state)
{
	long until = now_ms() + AWAIT_MS;

	for (bool late = false; state_of(tid) != state;
	     late = now_ms() > until) {
		if (late)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

static inline bool on_stack(pid_t tid, const char *function)
{
	char text[8192];
	size_t n;
	FILE *file;

	snprintf(text, sizeof(text), "/proc/%d/stack", tid);
	file = fopen(text, "re");
	if (!file)
		return false;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = 0;
	return strstr(text, function);
}

/* A thread has its state before it is off its CPU and has a stack to show. */
static inline bool await_stack(pid_t tid, const char *function)
{
	long until = now_ms() + AWAIT_MS;

	for (bool late = false; !on_stack(tid, function);
	     late = now_ms() > until) {
		if (late)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

/* A child of ours that reads fd and ends with the errno of that, or 0. */
static inline pid_t reader(int fd)
{
	pid_t pid = fork();
	char c;

	if (pid)
		return pid;
	_exit(read(fd, &c, 1) ? errno : 0);
}

/* Returns the wait status, or -1 when it did not end in time. */
static inline int ended(pid_t pid)
{
	long until = now_ms() + AWAIT_MS;
	int status;

	for (bool late = false; waitpid(pid, &status, WNOHANG) != pid;
	     late = now_ms() > until) {
		if (late)
			return -1;
		poll(NULL, 0, 1);
	}
	return status;
}

/* 0 or the errno. */
static inline int put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err = errno;
	close(fd);
	return err;
}

static inline bool set_parameter(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	return !put(path, value);
}

#endif /* UNDEAD_SELFTESTS_DEVICE_H */
