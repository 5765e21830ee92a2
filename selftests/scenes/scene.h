/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes in trouble, made without the module, and near misses: what
 * 'undead why' has to say of them.
 *
 * A scene is one function and one SCENE() in a file of this folder; nothing
 * lists it. The function runs in a process of its own, the player, which leads
 * a process group and is a child subreaper; it makes the scene, waits until it
 * is as it should be, and returns whom to ask. When all was asked the player is
 * killed, and every process that it left.
 */
#ifndef SCENE_H
#define SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SCENE_ROOT (1U << 0)
#define SCENE_VM   (1U << 1) /* it changes the machine */

/* What @make returns instead of a process. */
#define SCENE_SKIP   0 /* this machine has not what it takes */
#define SCENE_BROKEN (-1)

/**
 * struct scene - one of them
 * @needs:   SCENE_*
 * @verdict: wanted; the exit status goes with it
 * @says:    must be in the answer, too; each NULL or a text
 * @never:   must not
 * @make:    returns the process to ask for, or SCENE_SKIP
 * @undo:    runs before the player is killed; may be NULL
 */
struct scene {
	const char *name;
	unsigned int needs;
	const char *verdict;
	int status;
	const char *says[4];
	const char *never;
	pid_t (*make)(void);
	void (*undo)(void);
};

#define SCENE(id)                                                       \
	static const struct scene id;                                   \
	static const struct scene *const id##_entry                     \
		__attribute__((used, retain, section("scenes"))) = &id; \
	static const struct scene id

typedef void result_fn(int ok, const char *what, const char *saw);

/**
 * scenes_play() - all that may be played here
 * @tool: the program
 * @dir:  for snapshots, which stay there: NAME
 * @vm:   those that change the machine, too
 * @result: called for each check; @ok < 0: skipped
 */
void scenes_play(const char *tool, const char *dir, bool vm, result_fn *result);

/**
 * scene_ask() - 'undead why ARGS', by a shell
 * Return: its exit status, -1 when it was killed.
 */
int scene_ask(const char *tool, const char *args, char *text, size_t size);

/* --- for the authors of scenes ------------------------------------------ */

/**
 * actor() - fork(), a process that is killed with its parent
 */
pid_t actor(void);

/**
 * state_of() - the letter of a task, 0: gone
 */
char state_of(pid_t pid);

/**
 * in_state() - wait until its state is one of these letters
 * Return: is it.
 */
bool in_state(pid_t pid, const char *letters);

/**
 * sleeps_in() - wait until its wchan or stack has this in it
 */
bool sleeps_in(pid_t pid, const char *part);

/**
 * dead_unreaped() - wait for a child to be dead, and leave it so
 */
pid_t dead_unreaped(pid_t pid);

/**
 * outer_pid() - ours, by the numbers of /proc: who is in another pid name space
 */
pid_t outer_pid(void);

/**
 * say(), hear() - a process id by a pipe
 */
void say(const int *to, pid_t pid);
pid_t hear(const int *to);

/**
 * put() - write a text to a file
 */
bool put(const char *path, const char *text);

/**
 * linger() - nothing more to do, for good
 */
_Noreturn void linger(void);

#endif
