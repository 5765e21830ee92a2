// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dev.h"
#include "util.h"

#define DEVICE "/dev/undead"

static int call(int fd, unsigned long nr, void *arg)
{
	return ioctl(fd, nr, arg) < 0 ? -errno : 0;
}

int dev_open(void)
{
	_cleanup_close_ int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	struct undead_info info;
	int err, ret;

	if (fd < 0)
		return -errno;
	err = dev_info(fd, &info);
	if (err)
		return err == -ENOTTY ? -ENODEV : err;
	if (info.abi != UNDEAD_ABI)
		return -EPROTO;
	ret = fd;
	fd = -1;
	return ret;
}

const char *dev_why(int err)
{
	switch (-err) {
	case ENOENT:
		if (!access("/sys/module/undead", F_OK))
			return "the module is loaded but " DEVICE
			       " is missing: mount devtmpfs on /dev, or make the node from /sys/class/misc/undead/dev";
		return "the module is not loaded: run 'undead load', or use 'make vm' for a throw-away machine";
	case EACCES:
	case EPERM:
		return DEVICE
			" needs root (CAP_SYS_ADMIN in the initial user namespace): use sudo, or 'make vm'";
	case ENODEV:
	case ENXIO:
		return DEVICE
			" is not our device: unload what made it, remove the node and run 'undead load'";
	case EPROTO:
		return "the loaded module speaks another version of the device contract: rebuild both, then 'undead unload' and 'undead load'";
	case EMFILE:
	case ENFILE:
		return "cannot open " DEVICE
		       ": too many open files; raise ulimit -n";
	default:
		return strerror(-err);
	}
}

int dev_info(int ctl, struct undead_info *info)
{
	*info = (struct undead_info){ .size = sizeof(*info) };
	return call(ctl, UNDEAD_IOC_INFO, info);
}

int dev_gate(int ctl, unsigned int points, unsigned int kind,
	     uint64_t deadline_ms, uint64_t *gate)
{
	struct undead_gate_create c = {
		.size = sizeof(c),
		.points = points,
		.kind = kind,
		.deadline_ms = deadline_ms,
	};
	int err = call(ctl, UNDEAD_IOC_GATE_CREATE, &c);

	if (err)
		return err;
	if (gate)
		*gate = c.gate;
	return c.fd;
}

int64_t dev_release(int fd, unsigned int what, uint64_t id)
{
	struct undead_release r = {
		.size = sizeof(r),
		.what = what,
		.id = id,
	};
	int err = call(fd, UNDEAD_IOC_RELEASE, &r);

	return err ? err : (int64_t)r.released;
}

int64_t dev_gate_open(int fd, unsigned int flags)
{
	struct undead_open o = { .size = sizeof(o), .flags = flags };
	int err = call(fd, UNDEAD_IOC_OPEN, &o);

	return err ? err : (int64_t)o.released;
}

int dev_rearm(int gate_fd)
{
	struct undead_rearm arg = { .size = sizeof(arg) };

	return call(gate_fd, UNDEAD_IOC_REARM, &arg);
}

int dev_await(int gate_fd, uint64_t count, uint64_t timeout_ms)
{
	struct undead_await a = {
		.size = sizeof(a),
		.count = count,
		.timeout_ms = timeout_ms,
	};

	return call(gate_fd, UNDEAD_IOC_AWAIT, &a);
}

int dev_enrol(int gate_fd, pid_t tid)
{
	struct undead_enrol e = { .size = sizeof(e), .tid = tid };

	return call(gate_fd, UNDEAD_IOC_ENROL, &e);
}

ssize_t dev_list(int fd, struct undead_hold **holds)
{
	_cleanup_free_ struct undead_hold *all = NULL;
	const size_t step = 1024;
	size_t n = 0;

	*holds = NULL;
	for (;;) {
		struct undead_hold *more =
			reallocarray(all, n + step, sizeof(*all));
		struct undead_list l = {
			.size = sizeof(l),
			.entry_size = sizeof(*all),
			.capacity = step,
		};
		int err;

		if (!more)
			return -ENOMEM;
		all = more;
		l.entries = (uintptr_t)(all + n);
		l.after = n ? all[n - 1].id : 0;
		err = call(fd, UNDEAD_IOC_LIST, &l);
		if (err)
			return err;
		n += l.count;
		if (l.count < step)
			break;
	}
	if (n) {
		*holds = all;
		all = NULL;
	}
	return (ssize_t)n;
}

int dev_counters(int fd, struct undead_counters *c)
{
	*c = (struct undead_counters){ .size = sizeof(*c) };
	return call(fd, UNDEAD_IOC_COUNTERS, c);
}

static const char *name_of(const char *const *names, size_t n, unsigned int i)
{
	return i < n && names[i] ? names[i] : "?";
}

const char *dev_point_name(unsigned int point)
{
	static const char *const names[UNDEAD_POINTS] = {
		[UNDEAD_POINT_READ] = "read",
		[UNDEAD_POINT_IOCTL] = "ioctl",
		[UNDEAD_POINT_FAULT] = "fault",
		[UNDEAD_POINT_VMA_CLOSE] = "vma-close",
		[UNDEAD_POINT_FLUSH] = "flush",
		[UNDEAD_POINT_RELEASE] = "release",
		[UNDEAD_POINT_AIO] = "aio",
	};

	return name_of(names, ARRAY_SIZE(names), point);
}

const char *dev_kind_name(unsigned int kind)
{
	static const char *const names[UNDEAD_KINDS] = {
		[UNDEAD_KIND_UNINTERRUPTIBLE] = "uninterruptible",
		[UNDEAD_KIND_KILLABLE] = "killable",
		[UNDEAD_KIND_INTERRUPTIBLE] = "interruptible",
		[UNDEAD_KIND_IDLE] = "idle",
		[UNDEAD_KIND_IOWAIT] = "iowait",
		[UNDEAD_KIND_SPIN] = "spin",
	};

	return name_of(names, ARRAY_SIZE(names), kind);
}
