// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "count.h"
#include "proc.h"
#include "util.h"

/* The number of an event, or -errno. */
static int64_t number_of(const char *event)
{
	_cleanup_close_ int fd = -1;
	char path[128], text[32] = "";

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/%s/id", event);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -errno;
	return atoll(text);
}

/* Disabled until it has its filter: it happens to others, too. */
static int open_cpu(int64_t event, const char *filter, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = (uint64_t)event,
		.disabled = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
			      PERF_FLAG_FD_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter) < 0 ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0) {
		err = -errno;
		close(fd);
	}
	return err ? err : fd;
}

int count_open(struct counter *c, const char *event, const char *filter)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t number = number_of(event);

	c->nr = 0;
	if (!proc_in_first_pid_ns())
		return -EXDEV;
	if (number < 0)
		return (int)number;
	for (int cpu = 0; cpu < cpus && cpu < (int)ARRAY_SIZE(c->fd); cpu++) {
		int fd = open_cpu(number, filter, cpu);

		if (fd < 0) {
			while (c->nr)
				close(c->fd[--c->nr]);
			return fd;
		}
		c->fd[c->nr++] = fd;
	}
	return 0;
}

int64_t count(const struct counter *c)
{
	uint64_t sum = 0, n;

	for (int i = 0; i < c->nr; i++) {
		if (read(c->fd[i], &n, sizeof(n)) != sizeof(n))
			return -EIO;
		sum += n;
	}
	return (int64_t)sum;
}
