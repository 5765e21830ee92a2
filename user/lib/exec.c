// SPDX-License-Identifier: GPL-2.0
/* The caller's side: makes the keeper, talks with it, and stands in for it. */
#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/family.h"
#include "../core/util.h"
#include "keeper.h"

#define KILL_AFTER_MS 2000
#define GIVE_UP_MS    5000

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/**
 * struct undead - a keeper, from outside
 * @sock:  to it
 * @pidfd: it
 * @group: to stand in for it
 * @over:  UNDEAD_ENDED, UNDEAD_STUCK or -EOWNERDEAD, to be said again; 1: none
 */
struct undead {
	int sock;
	int pidfd;
	struct group group;
	struct undead_options how;
	struct undead_report report;
	int over;
};

#define NOT_OVER INT32_MAX

const char *undead_guarantee_name(enum undead_guarantee g)
{
	static const char *const names[] = {
		[UNDEAD_BEST] = "best",
		[UNDEAD_CGROUP] = "cgroup",
		[UNDEAD_PIDNS] = "pidns",
		[UNDEAD_NONE] = "none",
	};

	return (size_t)g < ARRAY_SIZE(names) ? names[g] : "?";
}

int undead_fd(const struct undead *u)
{
	return u->sock;
}

const struct undead_report *undead_report(const struct undead *u)
{
	return &u->report;
}

/* --- the keeper ends, or is killed --------------------------------------- */

static void reap_keeper(struct undead *u)
{
	siginfo_t si;

	/* It has no exit signal; under a tracer or as init's it may be gone. */
	while (waitid(P_PIDFD, (id_t)u->pidfd, &si, WEXITED | __WALL) &&
	       errno == EINTR)
		;
}

struct rescue {
	struct undead *u;
	struct family family;
	bool alone;
};

/* The keeper's kill_round() and reap_all(), for the little that we know. */
static bool ended_all(void *arg)
{
	struct rescue *r = arg;
	struct undead *u = r->u;
	pid_t self = getpid();

	if (u->group.fd >= 0 && group_kill(&u->group))
		group_freeze(&u->group, true);
	if (!r->alone)
		return u->group.fd < 0 || group_empty(&u->group);
	if (family_look(&r->family, self) > 0)
		for (size_t i = 0; i < r->family.nr; i++)
			if (r->family.all[i].member && !r->family.all[i].dead)
				family_signal(&r->family, self,
					      &r->family.all[i], SIGKILL);
	for (;;) {
		siginfo_t si = { 0 };

		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | __WALL))
			return errno == ECHILD;
		if (!si.si_pid)
			return false;
		u->report.reaped++;
	}
}

static void stand_in(struct undead *u)
{
	struct rescue r = { .u = u, .alone = u->how.flags & UNDEAD_ALONE };

	reap_keeper(u);
	if (u->group.parent >= 0)
		group_open(&u->group);
	u->report.stage = UNDEAD_KILLED;
	if (!await_true(ended_all, &r, u->how.give_up_ms))
		u->report.stage = UNDEAD_STILL;
	family_free(&r.family);
	group_remove(&u->group, u->how.give_up_ms);
	close_fd(&u->group.fd);
	u->group.fd = -1;
}

/* --- news ----------------------------------------------------------------- */

static int heard(struct undead *u, const struct keeper_news *n)
{
	pid_t keeper = u->report.keeper;

	u->report = n->report;
	u->report.keeper = keeper;
	switch (n->type) {
	case NEWS_STOPPED:
		return UNDEAD_STOPPED;
	case NEWS_LEADER:
		return UNDEAD_LEADER_ENDED;
	case NEWS_STUCK:
		u->over = UNDEAD_STUCK;
		return u->over;
	case NEWS_ENDED:
		reap_keeper(u);
		u->over = UNDEAD_ENDED;
		return u->over;
	default:
		return -EPROTO;
	}
}

static int listen_to(struct undead *u)
{
	struct keeper_news n;
	ssize_t got = recv(u->sock, &n, sizeof(n), MSG_DONTWAIT);

	if (got == sizeof(n))
		return heard(u, &n);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return -errno;
	stand_in(u);
	u->over = -EOWNERDEAD;
	return u->over;
}

int undead_wait(struct undead *u, int timeout_ms)
{
	struct pollfd p = { .fd = u->sock, .events = POLLIN };
	int n;

	/* What was stuck may have ended since. */
	if (u->over != NOT_OVER && u->over != UNDEAD_STUCK)
		return u->over;
	n = poll(&p, 1, timeout_ms);
	if (n < 0)
		return -errno;
	if (!n)
		return u->over == UNDEAD_STUCK ? u->over : -ETIMEDOUT;
	n = listen_to(u);
	return n == -EAGAIN ? -ETIMEDOUT : n;
}

static int order(struct undead *u, enum order_type type, int arg)
{
	struct keeper_order o = { .type = type, .arg = arg };

	return send(u->sock, &o, sizeof(o), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int undead_cancel(struct undead *u, int sig)
{
	return order(u, ORDER_CANCEL, sig);
}

int undead_signal(struct undead *u, int sig)
{
	return order(u, ORDER_SIGNAL, sig);
}

int undead_resume(struct undead *u, int foreground)
{
	return order(u, ORDER_RESUME, foreground);
}

int undead_left(const struct undead *u, pid_t *pids, int max)
{
	struct family f = { 0 };
	int n = family_look(&f, u->report.keeper), nr = 0;

	for (size_t i = 0; n > 0 && i < f.nr && nr < max; i++)
		if (f.all[i].member)
			pids[nr++] = f.all[i].pid;
	family_free(&f);
	return n;
}

/* --- the beginning -------------------------------------------------------- */

static int clone_keeper(struct undead *u, struct keeper_start *s)
{
	unsigned long flags = CLONE_PIDFD;
	sigset_t all, before;
	pid_t pid;

	if (s->how.guarantee == UNDEAD_PIDNS)
		flags |= CLONE_NEWPID | CLONE_NEWNS;
	if (s->user)
		flags |= CLONE_NEWUSER;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	s->sigmask = s->how.sigmask ? *s->how.sigmask : before;
	pid = (pid_t)syscall(SYS_clone, flags, 0, &u->pidfd, 0, 0);
	if (!pid)
		keeper_main(s);
	if (pid < 0)
		pid = -errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* Its answer: 0 it runs, or -errno. */
static int await_start(struct undead *u)
{
	struct keeper_news n;
	ssize_t got;

	do
		got = recv(u->sock, &n, sizeof(n), 0);
	while (got < 0 && errno == EINTR);
	if (got == sizeof(n) && n.type == NEWS_STARTED) {
		pid_t keeper = u->report.keeper;

		u->report = n.report;
		u->report.keeper = keeper;
		return 0;
	}
	if (got == sizeof(n) && n.type == NEWS_FAILED) {
		reap_keeper(u);
		return n.arg;
	}
	stand_in(u);
	return -EOWNERDEAD;
}

static int start_keeper(struct undead *u, struct keeper_start *s)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	u->sock = pair[0];
	s->sock = pair[1];
	s->caller = pidfd_of(getpid(), 0);
	err = s->caller < 0 ? s->caller : clone_keeper(u, s);
	close_fd(&s->caller);
	close(pair[1]);
	if (err > 0) {
		u->report.keeper = err;
		err = await_start(u);
	}
	if (err) {
		close_fd(&u->sock);
		close_fd(&u->pidfd);
		u->sock = -1;
		u->pidfd = -1;
	}
	return err;
}

static int start_in_cgroup(struct undead *u, struct keeper_start *s)
{
	int err = group_find(&s->group);

	s->how.guarantee = UNDEAD_CGROUP;
	u->group = s->group;
	if (!err)
		err = start_keeper(u, s);
	if (err) {
		group_close(&s->group);
		u->group = s->group;
	}
	return err;
}

static int start_in_pidns(struct undead *u, struct keeper_start *s, bool user)
{
	int err;

	s->how.guarantee = UNDEAD_PIDNS;
	err = start_keeper(u, s);
	if (err != -EPERM || !user)
		return err;
	s->user = true;
	s->uid = geteuid();
	s->gid = getegid();
	return start_keeper(u, s);
}

static int start_with_none(struct undead *u, struct keeper_start *s)
{
	s->how.guarantee = UNDEAD_NONE;
	return start_keeper(u, s);
}

static int start_as_wanted(struct undead *u, struct keeper_start *s)
{
	int err;

	switch (u->how.guarantee) {
	case UNDEAD_CGROUP:
		return start_in_cgroup(u, s);
	case UNDEAD_PIDNS:
		return start_in_pidns(u, s, true);
	case UNDEAD_NONE:
		return start_with_none(u, s);
	default:
		err = start_in_cgroup(u, s);
		if (err)
			err = start_in_pidns(u, s, false);
		return err ? start_with_none(u, s) : 0;
	}
}

static int check(const struct undead_options *how)
{
	if (how->size != sizeof(*how) || how->guarantee > UNDEAD_NONE ||
	    how->flags & ~(UNDEAD_SETSID | UNDEAD_STDIO | UNDEAD_ALONE |
			   UNDEAD_TTY | UNDEAD_FOREGROUND | UNDEAD_INTERRUPT) ||
	    how->signal < 0 || how->signal >= NSIG || how->give_up_ms < 0)
		return -EINVAL;
	/* A session of its own has no terminal. */
	if (how->flags & UNDEAD_TTY)
		return how->flags & UNDEAD_SETSID ? -EINVAL : 0;
	return how->flags & (UNDEAD_FOREGROUND | UNDEAD_INTERRUPT) ? -EINVAL :
								     0;
}

int undead_start(struct undead **out, char *const argv[],
		 const struct undead_options *wanted)
{
	struct keeper_start s = { .argv = argv };
	struct undead *u;
	int err;

	if (wanted)
		s.how = *wanted;
	else
		s.how.size = sizeof(s.how);
	if (!argv || !argv[0] || check(&s.how))
		return -EINVAL;
	s.how.signal = s.how.signal ? s.how.signal : SIGTERM;
	if (!s.how.kill_after_ms)
		s.how.kill_after_ms = KILL_AFTER_MS;
	if (!s.how.give_up_ms)
		s.how.give_up_ms = GIVE_UP_MS;
	if (!s.how.envp)
		s.how.envp = environ;
	s.group = (struct group){ .parent = -1, .fd = -1 };
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	*u = (struct undead){ .sock = -1, .pidfd = -1, .over = NOT_OVER };
	u->how = s.how;
	u->group = s.group;
	if (u->how.flags & UNDEAD_ALONE)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	err = start_as_wanted(u, &s);
	if (err) {
		free(u);
		return err;
	}
	*out = u;
	return 0;
}

void undead_free(struct undead *u)
{
	if (!u)
		return;
	close_fd(&u->sock);
	close_fd(&u->pidfd);
	group_close(&u->group);
	free(u);
}
