/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the caller's side (exec.c) and the keeper (keeper.c) share.
 *
 * The keeper is a copy of the caller made by clone(2) alone, perhaps of one with
 * threads: it must not call malloc(), stdio or anything else that takes a lock of
 * libc.
 */
#ifndef LIBUNDEAD_KEEPER_H
#define LIBUNDEAD_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "group.h"
#include "undead.h"

/* From the caller, in one datagram; each has one argument. */
enum order_type {
	ORDER_CANCEL, /* polite signal */
	ORDER_SIGNAL, /* signal for the command */
	ORDER_RESUME, /* in the foreground? */
};

struct keeper_order {
	enum order_type type;
	int arg;
};

/* From the keeper, with its report each time. */
enum news_type {
	NEWS_FAILED, /* the guarantee is not to be had: -errno */
	NEWS_STARTED,
	NEWS_STOPPED, /* by which signal */
	NEWS_LEADER,
	NEWS_STUCK,
	NEWS_ENDED,
};

struct keeper_news {
	enum news_type type;
	int arg;
	struct undead_report report;
};

/**
 * struct keeper_start - what the keeper is to do
 * @argv:    the command
 * @how:     all set, no default left
 * @sigmask: of the command
 * @group:   where its cgroup is to be made
 * @chld_ignored: SIGCHLD was
 * @user:    it is in a user namespace of its own, and was this user
 * @sock:    to the caller
 * @caller:  pidfd of it: a child of it may have the other end of @sock
 */
struct keeper_start {
	char *const *argv;
	struct undead_options how;
	sigset_t sigmask;
	struct group group;
	bool chld_ignored;
	bool user;
	uid_t uid;
	gid_t gid;
	int sock;
	int caller;
};

/**
 * keeper_main() - the life of the keeper; all signals are blocked
 */
void keeper_main(struct keeper_start *s) __attribute__((noreturn));

/**
 * command_main() - the child that becomes the command
 * @keeper: process id of its parent
 * @errors: where errno goes when it does not; closed by execve()
 */
void command_main(const struct keeper_start *s, pid_t keeper, int errors)
	__attribute__((noreturn));

/**
 * sentry_main() - a process in the command's group that says when the terminal
 * has sent SIGINT or SIGQUIT there
 * @to: a byte is written for each
 */
void sentry_main(pid_t keeper, pid_t group, int to) __attribute__((noreturn));

#endif
