// SPDX-License-Identifier: GPL-2.0
/*
 * core_pattern names a program that is not there. The kernel forks a process for
 * it, which cannot exec, and so ends with no address space at all; the one that
 * aborted has not dumped.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "../core-pattern.h"
#include "../scenario.h"

static int64_t order_abort(const struct order *o)
{
	struct rlimit lim = { RLIM_INFINITY, RLIM_INFINITY };

	(void)o;
	setrlimit(RLIMIT_CORE, &lim);
	abort();
}

static void play(void)
{
	struct actor *p;

	step("P aborts; the program that shall take the core is not there");
	core_pattern("|/nonexistent/core-helper %p");
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
