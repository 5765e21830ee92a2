// SPDX-License-Identifier: GPL-2.0
/* N: only the leader of a process group was killed; and what looks like it. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

/* As gitea's git and git-remote-https. Return: the member; the leader is gone. */
static pid_t survivors(pid_t *leader)
{
	int to[2];
	pid_t member;

	if (pipe(to))
		return SCENE_BROKEN;
	*leader = fork();
	if (!*leader) {
		setpgid(0, 0);
		member = fork();
		if (!member)
			linger();
		say(to, member);
		linger();
	}
	member = hear(to);
	kill(*leader, SIGKILL);
	return member > 0 && waitpid(*leader, NULL, 0) == *leader ?
		       member :
		       SCENE_BROKEN;
}

static pid_t survivor;

static void end_survivor(void)
{
	kill(survivor, SIGKILL);
}

static pid_t group(void)
{
	pid_t leader;

	survivor = survivors(&leader);
	return survivor > 0 ? leader : SCENE_BROKEN;
}

SCENE(a_group) = {
	.name = "group-survives",
	.verdict = "group-survives",
	.status = 1,
	.says = { "1 living member", "kill -- -" },
	.make = group,
	.undo = end_survivor,
};

/* In a session of its own, so that who adopts it is of another. */
static pid_t orphan(void)
{
	int to[2];
	pid_t middle, leader;

	if (pipe(to))
		return SCENE_BROKEN;
	middle = fork();
	if (!middle) {
		setsid();
		say(to, survivors(&leader));
		_exit(0);
	}
	survivor = hear(to);
	waitpid(middle, NULL, 0);
	return survivor;
}

SCENE(an_orphan) = {
	.name = "orphan",
	.verdict = "orphan",
	.status = 0,
	.says = { "is gone, and so is who made it" },
	.make = orphan,
	.undo = end_survivor,
};

/* Forks twice, as daemons do: its group is its session. */
static pid_t daemon_of_old(void)
{
	int to[2];
	pid_t middle;

	if (pipe(to))
		return SCENE_BROKEN;
	middle = fork();
	if (!middle) {
		setsid();
		if (!fork()) {
			say(to, getpid());
			linger();
		}
		_exit(0);
	}
	survivor = hear(to);
	waitpid(middle, NULL, 0);
	return survivor;
}

SCENE(a_daemon) = {
	.name = "daemon-near-orphan",
	.verdict = "healthy",
	.status = 0,
	.make = daemon_of_old,
	.undo = end_survivor,
};

/* true | sleep: the first of a pipeline has ended, both were made by us. */
static pid_t pipeline(void)
{
	pid_t first = fork(), second;

	if (!first) {
		setpgid(0, 0);
		linger();
	}
	setpgid(first, first);
	second = actor();
	if (!second)
		linger();
	setpgid(second, first);
	kill(first, SIGKILL);
	return waitpid(first, NULL, 0) == first && in_state(second, "S") ?
		       second :
		       SCENE_BROKEN;
}

SCENE(a_pipeline) = {
	.name = "pipeline-near-orphan",
	.verdict = "healthy",
	.status = 0,
	.make = pipeline,
};
