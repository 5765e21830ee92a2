// SPDX-License-Identifier: GPL-2.0
/*
 * core_pattern names a program that is not there. The kernel forks a process for
 * it, which cannot exec, and so ends with no address space at all; the one that
 * aborted has not dumped.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../core/proc.h"
#include "../scenario.h"

#define PATTERN "/proc/sys/kernel/core_pattern"

static void set_pattern(const char *text)
{
	_cleanup_close_ int fd = open(PATTERN, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fprintf(stderr, PATTERN ": %m\n");
}

static int64_t order_abort(const struct order *o)
{
	struct rlimit lim = { RLIM_INFINITY, RLIM_INFINITY };

	(void)o;
	setrlimit(RLIMIT_CORE, &lim);
	abort();
}

static void play(void)
{
	static char before[128];
	struct actor *p;

	step("P aborts; the program that shall take the core is not there");
	if (proc_read(1, 0, "../sys/kernel/core_pattern", before,
		      sizeof(before)) <= 0)
		broken(PATTERN ": cannot be read");
	at_end(set_pattern, before);
	set_pattern("|/nonexistent/core-helper %p");
	p = spawn("P");
	tell(leader(p), order_abort, 0, 0);
	expect_death(p, SIGABRT,
		     "do_coredump(): the helper ends in call_usermodehelper_exec_async(), nothing was dumped");
}

SCENARIO(dump_helper_missing) = {
	.name = "dump-helper-missing",
	.summary =
		"the core dump helper does not exist: no core, the process dies as killed",
	.needs = NEED_ROOT | NEED_VM,
	.play = play,
};
