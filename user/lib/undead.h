/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libundead: run a command so that nothing survives it.
 *
 *	struct undead_options how = { .size = sizeof(how) };
 *	struct undead *u;
 *
 *	if (undead_start(&u, argv, &how) < 0)
 *		...
 *	if (undead_wait(u, 5000) == -ETIMEDOUT) {
 *		undead_cancel(u, 0);
 *		while (undead_wait(u, -1) == UNDEAD_LEADER_ENDED)
 *			;
 *	}
 *	printf("%d\n", undead_report(u)->status);
 *	undead_free(u);
 *
 * The command is the child of a keeper, a process that undead_start() makes and
 * that does nothing else. The keeper is a child subreaper: whatever descends from
 * the command, by setsid(), by a double fork, stays below it and becomes its
 * child in the end. When it has no child left, nothing has survived, and
 * that is what UNDEAD_ENDED says. It ends everything when it is told to, when the
 * command has ended, and when the process that called undead_start() has.
 *
 * The keeper is no child that wait() of the caller sees (it has no exit signal):
 * children and signals of the caller stay its own. The caller may have threads;
 * a struct undead is for one of them at a time.
 *
 * Functions return 0 or more, or a negative errno.
 */
#ifndef LIBUNDEAD_H
#define LIBUNDEAD_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNDEAD_PUBLIC __attribute__((visibility("default")))

/**
 * enum undead_guarantee - what holds when somebody is killed by SIGKILL
 * @UNDEAD_BEST:   the first of the three that is to be had
 * @UNDEAD_CGROUP: a cgroup v2 of its own. All is ended when the caller is killed
 *                 (by the keeper), and when the keeper is (by the caller, in
 *                 undead_wait()). Both at once: only the command is.
 * @UNDEAD_PIDNS:  a pid namespace, the keeper its init, with a /proc and mounts
 *                 of its own. All is ended, by the kernel, also when both are
 *                 killed at once. UNDEAD_BEST takes it for root only; for others
 *                 it needs a user namespace, and the command sees no user but
 *                 its own.
 * @UNDEAD_NONE:   nothing of the kernel's but the subreaper. All is ended when
 *                 the caller is killed. When the keeper is: the command, and the
 *                 rest only with UNDEAD_ALONE. A process that forks faster than
 *                 it is found may outrun it.
 */
enum undead_guarantee {
	UNDEAD_BEST,
	UNDEAD_CGROUP,
	UNDEAD_PIDNS,
	UNDEAD_NONE,
};

/**
 * enum undead_stage - how far it had to go
 * @UNDEAD_RUNNING: nothing was ended: the command runs, or all ended by itself
 * @UNDEAD_ASKED:   the polite signal was sent
 * @UNDEAD_KILLED:  SIGKILL was sent
 * @UNDEAD_STILL:   that was no use: something is left
 */
enum undead_stage {
	UNDEAD_RUNNING,
	UNDEAD_ASKED,
	UNDEAD_KILLED,
	UNDEAD_STILL,
};

/* Flags of struct undead_options. */
#define UNDEAD_SETSID (1U << 0) /* a session of its own, not a process group */
#define UNDEAD_STDIO  (1U << 1) /* .stdio is set */
/*
 * The caller has no other children: it becomes a subreaper too and does the
 * keeper's work should that be killed.
 */
#define UNDEAD_ALONE (1U << 2)
/* .tty is set: undead_wait() tells when it stops the command. */
#define UNDEAD_TTY (1U << 3)
/* With UNDEAD_TTY: the command's group becomes its foreground group. */
#define UNDEAD_FOREGROUND (1U << 4)
/* With UNDEAD_TTY: Ctrl-C and Ctrl-\ are undead_cancel(), not only a signal. */
#define UNDEAD_INTERRUPT (1U << 5)

/**
 * struct undead_options - how; zero is a default for each but @size
 * @size:          sizeof(struct undead_options)
 * @guarantee:     UNDEAD_*
 * @flags:         UNDEAD_SETSID and so on
 * @signal:        the polite one; 0: SIGTERM
 * @kill_after_ms: SIGKILL so long after it; 0: 2000; below 0: at once
 * @give_up_ms:    when for so long after SIGKILL nothing more has ended, what is
 *                 left is reported; 0: 5000
 * @tty:           with UNDEAD_TTY: the controlling terminal
 * @stdio:         with UNDEAD_STDIO: what the command has as 0, 1 and 2
 * @sigmask:       signals blocked in the command; NULL: those of the caller
 * @envp:          its environment; NULL: that of the caller
 */
struct undead_options {
	size_t size;
	enum undead_guarantee guarantee;
	unsigned int flags;
	int signal;
	int kill_after_ms;
	int give_up_ms;
	int tty;
	int stdio[3];
	const sigset_t *sigmask;
	char *const *envp;
};

/**
 * struct undead_report - what is known so far
 * @guarantee:   in force, never UNDEAD_BEST
 * @stage:       how far it had to go
 * @keeper:      process id of the keeper
 * @ended:       the command itself has ended, and @status is set
 * @status:      its wait status; 127 << 8 or 126 << 8 when it could not be run
 * @exec_errno:  why not, else 0
 * @stopped:     with UNDEAD_STOPPED: by which signal
 * @interrupted: Ctrl-C or Ctrl-\ has begun the end
 * @reaped:      processes the keeper has reaped
 * @killed:      of them, how many SIGKILL has ended
 * @left:        processes that SIGKILL has not ended, with UNDEAD_STILL
 */
struct undead_report {
	enum undead_guarantee guarantee;
	enum undead_stage stage;
	pid_t keeper;
	int ended;
	int status;
	int exec_errno;
	int stopped;
	int interrupted;
	int reaped;
	int killed;
	int left;
};

/**
 * enum undead_event - what undead_wait() has seen
 * @UNDEAD_ENDED:   the command and all that descends from it have ended and are
 *                  reaped
 * @UNDEAD_STOPPED: with UNDEAD_TTY: the terminal has stopped the command
 *                  (SIGTSTP, SIGTTIN, SIGTTOU); undead_resume() lets it go on
 * @UNDEAD_LEADER_ENDED: the command itself has ended; what it left is being ended
 * @UNDEAD_STUCK:   something cannot be ended: undead_left() has it. The keeper
 *                  stays until it is gone, also without its caller, and reaps it
 */
enum undead_event {
	UNDEAD_ENDED,
	UNDEAD_STOPPED,
	UNDEAD_LEADER_ENDED,
	UNDEAD_STUCK,
};

struct undead;

/**
 * undead_start() - run a command
 * @u:    out
 * @argv: the command, looked for in PATH, and its arguments
 * @how:  NULL: all defaults
 * Return: 0; -EINVAL for options that are none; for a @guarantee that is not to
 * be had why not: -ENOENT (no cgroup v2), -EACCES, -EPERM and others.
 *
 * It does not wait for execve(), which may hang: a command that cannot be run is
 * one that has ended, with exec_errno in its report.
 */
UNDEAD_PUBLIC int undead_start(struct undead **u, char *const argv[],
			       const struct undead_options *how);

/**
 * undead_wait() - what happens next
 * @timeout_ms: at most so long; 0 only looks, -1 has no end
 * Return: enum undead_event; -ETIMEDOUT; -EINTR; -EOWNERDEAD when the keeper was
 * killed: what the guarantee promises for that has been done.
 *
 * UNDEAD_ENDED and UNDEAD_STUCK are said again when asked again; the others once,
 * and UNDEAD_LEADER_ENDED only when not all has ended at once.
 */
UNDEAD_PUBLIC int undead_wait(struct undead *u, int timeout_ms);

/**
 * undead_fd() - readable when undead_wait() has something to say; for poll()
 */
UNDEAD_PUBLIC int undead_fd(const struct undead *u);

/**
 * undead_cancel() - end it all; undead_wait() tells when that is done
 * @sig: the polite signal, 0: that of the options; SIGKILL: at once, also when
 *       the end has begun already
 */
UNDEAD_PUBLIC int undead_cancel(struct undead *u, int sig);

/**
 * undead_signal() - a signal to the command itself
 */
UNDEAD_PUBLIC int undead_signal(struct undead *u, int sig);

/**
 * undead_resume() - let a stopped command go on
 * @foreground: it gets the terminal (UNDEAD_TTY) first
 */
UNDEAD_PUBLIC int undead_resume(struct undead *u, int foreground);

/**
 * undead_report() - what is known so far; lives as long as @u
 */
UNDEAD_PUBLIC const struct undead_report *undead_report(const struct undead *u);

/**
 * undead_left() - the processes below the keeper, now
 * @pids: out, the first @max of them; zombies are among them
 * Return: how many there are, or -errno.
 */
UNDEAD_PUBLIC int undead_left(const struct undead *u, pid_t *pids, int max);

/**
 * undead_guarantee_name() - "cgroup", "pidns", "none"
 */
UNDEAD_PUBLIC const char *undead_guarantee_name(enum undead_guarantee g);

/**
 * undead_free() - forget it
 *
 * What has not ended is cancelled, and not waited for: the keeper does it.
 */
UNDEAD_PUBLIC void undead_free(struct undead *u);

#ifdef __cplusplus
}
#endif

#endif
