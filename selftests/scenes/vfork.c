// SPDX-License-Identifier: GPL-2.0
/* J: a parent in vfork(), and one whose child is a plain one. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "scene.h"

static pid_t vforks(void)
{
	int to[2];
	pid_t pid;

	if (pipe(to))
		return SCENE_BROKEN;
	pid = actor();
	if (!pid) {
		if (!vfork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			say(to, getpid());
			pause();
			_exit(0);
		}
		linger();
	}
	hear(to);
	return in_state(pid, "D") ? pid : SCENE_BROKEN;
}

SCENE(a_vfork) = {
	.name = "vfork",
	.needs = SCENE_ROOT,
	.verdict = "vfork-parent",
	.status = 1,
	.says = { "whatever its child", "this sleep is killable", "(vfork)" },
	.make = vforks,
};

/* Somebody runs strace late: the verdict stays. */
static pid_t traced(void)
{
	pid_t pid = vforks();

	return pid > 0 && ptrace(PTRACE_SEIZE, pid, NULL, NULL) ? SCENE_BROKEN :
								  pid;
}

SCENE(a_traced_vfork) = {
	.name = "vfork-traced",
	.needs = SCENE_ROOT,
	.verdict = "vfork-parent",
	.status = 1,
	.make = traced,
};

static pid_t forks(void)
{
	int to[2];
	pid_t pid;

	if (pipe(to))
		return SCENE_BROKEN;
	pid = actor();
	if (!pid) {
		if (!actor()) {
			say(to, getpid());
			linger();
		}
		linger();
	}
	hear(to);
	return in_state(pid, "S") ? pid : SCENE_BROKEN;
}

SCENE(a_fork) = {
	.name = "fork-near-vfork",
	.verdict = "healthy",
	.status = 0,
	.make = forks,
};
