// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <string.h>

#include "core-pattern.h"
#include "core/proc.h"
#include "scenario.h"

#define PATTERN "/proc/sys/kernel/core_pattern"
#define LIMIT   "/proc/sys/kernel/core_pipe_limit"

static char old_pattern[130] = "core\n", old_limit[32] = "0\n";

static bool set(const char *path, const char *value)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, value, strlen(value)) > 0;
}

static void restore(const char *pattern)
{
	set(PATTERN, pattern);
	set(LIMIT, old_limit);
}

void core_pattern(const char *pattern)
{
	proc_read(1, 0, "../sys/kernel/core_pattern", old_pattern,
		  sizeof(old_pattern));
	proc_read(1, 0, "../sys/kernel/core_pipe_limit", old_limit,
		  sizeof(old_limit));
	at_end(restore, old_pattern);
	if (!set(PATTERN, pattern) || !set(LIMIT, "4"))
		broken("cannot set " PATTERN ": %m");
}
