// SPDX-License-Identifier: GPL-2.0
/* H: the init of a pid name space is dying and waits for who is left. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "scene.h"

static pid_t init_of(void)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return SCENE_SKIP;
	pid = actor();
	if (!pid)
		linger();
	return in_state(pid, "S") ? pid : SCENE_BROKEN;
}

/* Comes as "docker exec" does, so that its parent, we, is outside. */
static pid_t torn_down(void)
{
	pid_t init = init_of(), guest;
	char path[64];
	int ns;

	if (init <= 0)
		return init;
	snprintf(path, sizeof(path), "/proc/%d/ns/pid_for_children", getpid());
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWPID))
		return SCENE_BROKEN;
	guest = fork();
	if (!guest)
		linger();
	kill(init, SIGKILL);
	dead_unreaped(guest);
	return sleeps_in(init, "zap_pid_ns_processes") ? init : SCENE_BROKEN;
}

SCENE(a_teardown) = {
	.name = "pidns-teardown",
	.needs = SCENE_ROOT,
	.verdict = "pidns-teardown",
	.status = 1,
	.says = { "perhaps of this name space", "look at " },
	.make = torn_down,
};

SCENE(an_init) = {
	.name = "init-near-teardown",
	.needs = SCENE_ROOT,
	.verdict = "healthy",
	.status = 0,
	.make = init_of,
};
