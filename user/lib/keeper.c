// SPDX-License-Identifier: GPL-2.0
/*
 * The keeper: parent of the command, subreaper of all that descends from it.
 *
 * When waitid() of all children says ECHILD, nothing is left: whoever descends
 * from the command is below a living child of ours, or our child. That is the
 * only way to the end; the rest is about bringing it on:
 *
 *   RUNNING  until the command ends, the caller says so or ends, or Ctrl-C
 *   ASKED    the polite signal, to each once, who comes later included
 *   KILLED   SIGKILL: by the cgroup or the pid namespace at once, else, and for
 *            who has left the cgroup, by rounds over /proc
 *   STILL    for so long nobody has ended: tell, and go on waiting
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/family.h"
#include "../core/util.h"
#include "keeper.h"

#define ROUND_MS   20 /* between two looks at /proc, and before the first */
#define MAX_LOOKS  50 /* in one round */
#define MAX_GRACE  6  /* times give_up_ms, be there progress or not */
#define EMPTY_MS   1000
#define MAX_PID    (1 << 22) /* PID_MAX_LIMIT */
#define PID_WORDS  (MAX_PID / 64)
#define FAR_FUTURE INT64_MAX

static struct keeper {
	struct keeper_start *s;
	struct undead_report r;
	struct family family;
	uint64_t *asked; /* a bit for each pid */
	pid_t self, command, sentry;
	int signals, errors, interrupts; /* fds */
	int polite;
	bool group_knows; /* its members have got the polite signal */
	bool told, over;
	int64_t deadline, hard, next_round;
} k = {
	.signals = -1,
	.errors = -1,
	.interrupts = -1,
	.deadline = FAR_FUTURE,
	.next_round = FAR_FUTURE,
};

static void tell(enum news_type type, int arg)
{
	struct keeper_news n = { .type = type, .arg = arg, .report = k.r };

	/* Without a caller we do our work for nobody. */
	send(k.s->sock, &n, sizeof(n), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* --- signals for all ---------------------------------------------------- */

/* Return: true the first time. */
static bool ask_once(pid_t pid)
{
	uint64_t *word = &k.asked[pid / 64 % PID_WORDS];
	uint64_t bit = 1ULL << (pid % 64);
	bool first = !(*word & bit);

	*word |= bit;
	return first;
}

/* Return: how many have got a first SIGKILL. */
static int signal_family(int sig)
{
	int fresh = 0;

	if (family_look(&k.family, k.self) <= 0)
		return 0;
	for (size_t i = 0; i < k.family.nr; i++) {
		const struct relative *r = &k.family.all[i];

		if (!r->member || r->dead || r->pid == k.sentry)
			continue;
		if (sig == SIGKILL) {
			fresh += ask_once(r->pid);
			family_signal(&k.family, k.self, r, sig);
			continue;
		}
		if (!ask_once(r->pid))
			continue;
		if (k.group_knows && getpgid(r->pid) == k.command)
			continue;
		family_signal(&k.family, k.self, r, sig);
		family_signal(&k.family, k.self, r, SIGCONT);
	}
	return fresh;
}

/* The group cannot be another's while its leader is not reaped. */
static void signal_group(int sig)
{
	if (!k.command)
		return;
	kill(-k.command, sig);
	if (sig != SIGKILL)
		kill(-k.command, SIGCONT);
}

static void ask_round(void)
{
	if (k.r.guarantee != UNDEAD_PIDNS)
		signal_family(k.polite);
}

/*
 * To all but ourselves, in one go under tasklist_lock: kill_something_info(). The
 * same is a cgroup's for what is in it.
 */
static void kill_round(void)
{
	if (k.r.guarantee == UNDEAD_PIDNS) {
		kill(-1, SIGKILL);
		return;
	}
	if (k.s->group.fd >= 0 && group_kill(&k.s->group))
		group_freeze(&k.s->group, true);
	signal_group(SIGKILL);
	/* Who was forked while we looked is found by the next look. */
	for (int i = 0;
	     i < MAX_LOOKS && signal_family(SIGKILL) && now_ms() < k.hard; i++)
		;
}

static void next_round_in(int64_t ms)
{
	k.next_round = now_ms() + ms;
}

/*
 * Before a thousand that fork: in its own session each of them has a share of the
 * CPUs as large as ours (autogroup). Who may not goes on as it is. (Without it: the
 * bomb by freezing, on 5.10, and the hydra under "none" outlived 90 s.)
 */
static void be_ahead(bool ahead)
{
	struct sched_param p = { .sched_priority = ahead };

	/* Who was started with a policy of his own keeps it. */
	if (sched_getscheduler(0) == (ahead ? SCHED_OTHER : SCHED_RR))
		sched_setscheduler(0, ahead ? SCHED_RR : SCHED_OTHER, &p);
}

static void begin_killing(void)
{
	k.r.stage = UNDEAD_KILLED;
	be_ahead(true);
	/* Zero again. */
	madvise(k.asked, PID_WORDS * sizeof(*k.asked), MADV_DONTNEED);
	k.deadline = now_ms() + k.s->how.give_up_ms;
	k.hard = now_ms() + MAX_GRACE * (int64_t)k.s->how.give_up_ms;
	if (k.r.guarantee == UNDEAD_CGROUP && !group_kill(&k.s->group))
		next_round_in(ROUND_MS);
	else
		next_round_in(0);
}

/* @group_knows: the terminal has told it. */
static void begin_asking(int sig, bool group_knows)
{
	if (k.r.stage != UNDEAD_RUNNING)
		return;
	if (sig == SIGKILL || k.s->how.kill_after_ms < 0) {
		begin_killing();
		return;
	}
	k.r.stage = UNDEAD_ASKED;
	k.polite = sig;
	k.group_knows = group_knows || k.command;
	k.deadline = now_ms() + k.s->how.kill_after_ms;
	if (!group_knows && k.r.guarantee != UNDEAD_PIDNS)
		signal_group(sig);
	if (k.r.guarantee == UNDEAD_PIDNS) {
		kill(-1, sig);
		kill(-1, SIGCONT);
	}
	next_round_in(ROUND_MS);
}

static void give_up(void)
{
	k.r.stage = UNDEAD_STILL;
	be_ahead(false);
	k.deadline = FAR_FUTURE;
	k.r.left = family_look(&k.family, k.self);
	if (k.r.guarantee == UNDEAD_CGROUP)
		group_freeze(&k.s->group, false);
	tell(NEWS_STUCK, 0);
}

/* --- what has ended ----------------------------------------------------- */

static void end_sentry(void)
{
	if (!k.sentry)
		return;
	kill(k.sentry, SIGKILL);
	waitpid(k.sentry, NULL, __WALL);
	k.sentry = 0;
	close_fd(&k.interrupts);
	k.interrupts = -1;
}

static int wait_status(const siginfo_t *si)
{
	if (si->si_code == CLD_EXITED)
		return si->si_status << 8;
	return si->si_status | (si->si_code == CLD_DUMPED ? 0x80 : 0);
}

static void command_ended(const siginfo_t *si)
{
	k.command = 0;
	k.r.ended = true;
	k.r.status = wait_status(si);
	end_sentry();
}

static void what_it_left(void)
{
	begin_asking(k.s->how.signal, false);
	tell(NEWS_LEADER, 0);
	k.told = true;
}

/* By the terminal: one that others have stopped is to time out. */
static void stopped(const siginfo_t *si)
{
	int sig = si->si_status;

	if (si->si_pid != k.command ||
	    (sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU))
		return;
	k.r.stopped = sig;
	tell(NEWS_STOPPED, sig);
}

static void reaped(const siginfo_t *si)
{
	if (si->si_code == CLD_STOPPED) {
		stopped(si);
		return;
	}
	if (si->si_pid == k.sentry) {
		k.sentry = 0;
		return;
	}
	k.r.reaped++;
	k.r.killed += si->si_code != CLD_EXITED && si->si_status == SIGKILL;
	if (k.r.stage != UNDEAD_RUNNING)
		k.asked[si->si_pid / 64 % PID_WORDS] &=
			~(1ULL << (si->si_pid % 64));
	if (si->si_pid == k.command)
		command_ended(si);
	if (k.r.stage == UNDEAD_KILLED)
		k.deadline = now_ms() + k.s->how.give_up_ms;
	if (k.r.stage != UNDEAD_RUNNING && k.next_round == FAR_FUTURE)
		next_round_in(ROUND_MS);
}

static void reap_all(void)
{
	int options = WEXITED | WNOHANG | __WALL;

	if (k.s->how.flags & UNDEAD_TTY)
		options |= WSTOPPED;
	for (;;) {
		siginfo_t si = { 0 };

		if (waitid(P_ALL, 0, &si, options)) {
			k.over = errno == ECHILD;
			return;
		}
		if (!si.si_pid)
			return;
		reaped(&si);
	}
}

/* --- what happens ------------------------------------------------------- */

static void obey(const struct keeper_order *o)
{
	switch (o->type) {
	case ORDER_CANCEL:
		if (o->arg == SIGKILL && k.r.stage == UNDEAD_ASKED)
			begin_killing();
		begin_asking(o->arg ? o->arg : k.s->how.signal, false);
		break;
	case ORDER_SIGNAL:
		if (k.command)
			kill(k.command, o->arg);
		break;
	case ORDER_RESUME:
		if (!k.command)
			break;
		if (o->arg)
			tcsetpgrp(k.s->how.tty, k.command);
		kill(-k.command, SIGCONT);
		break;
	}
}

/* The caller has ended, or has forgotten us. */
static void forgotten(void)
{
	close_fd(&k.s->sock);
	close_fd(&k.s->caller);
	k.s->sock = -1;
	k.s->caller = -1;
	begin_asking(k.s->how.signal, false);
}

static void hear(void)
{
	struct keeper_order o;
	ssize_t n = recv(k.s->sock, &o, sizeof(o), MSG_DONTWAIT);

	if (n == sizeof(o))
		obey(&o);
	else if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
		forgotten();
}

static void interrupted(void)
{
	int sig;

	if (read(k.interrupts, &sig, sizeof(sig)) != sizeof(sig)) {
		close_fd(&k.interrupts);
		k.interrupts = -1;
		return;
	}
	k.r.interrupted = true;
	if (k.r.stage == UNDEAD_ASKED)
		begin_killing();
	begin_asking(sig, true);
}

static void execed(void)
{
	int err;

	if (read(k.errors, &err, sizeof(err)) == sizeof(err))
		k.r.exec_errno = err;
	close_fd(&k.errors);
	k.errors = -1;
}

static void look(short events, void (*what)(void))
{
	if (events)
		what();
}

static void drain_signals(void)
{
	struct signalfd_siginfo si;

	if (read(k.signals, &si, sizeof(si)) > 0)
		return;
}

static int poll_ms(void)
{
	int64_t next = k.deadline < k.next_round ? k.deadline : k.next_round;

	if (next == FAR_FUTURE)
		return -1;
	next -= now_ms();
	return next < 0 ? 0 : (int)next;
}

static void on_time(void)
{
	int64_t now = now_ms();

	if (now >= k.next_round) {
		int64_t took;

		(k.r.stage == UNDEAD_ASKED ? ask_round : kill_round)();
		took = now_ms() - now;
		/* Then when somebody has ended, and left children perhaps. */
		k.next_round = FAR_FUTURE;
		if (k.r.stage == UNDEAD_KILLED)
			next_round_in(ROUND_MS + 2 * took);
	}
	if (now >= k.deadline || (k.r.stage == UNDEAD_KILLED && now >= k.hard))
		(k.r.stage == UNDEAD_ASKED ? begin_killing : give_up)();
}

static void keep(void)
{
	while (!k.over) {
		struct pollfd p[] = {
			{ .fd = k.signals, .events = POLLIN },
			{ .fd = k.errors, .events = POLLIN },
			{ .fd = k.s->sock, .events = POLLIN },
			{ .fd = k.interrupts, .events = POLLIN },
			{ .fd = k.s->caller, .events = POLLIN },
		};

		if (poll(p, ARRAY_SIZE(p), poll_ms()) < 0)
			continue;
		look(p[0].revents, drain_signals);
		look(p[1].revents, execed);
		look(p[2].revents, hear);
		look(p[3].revents, interrupted);
		if (k.s->caller >= 0)
			look(p[4].revents, forgotten);
		reap_all();
		if (!k.over && k.r.ended && !k.told)
			what_it_left();
		if (!k.over)
			on_time();
	}
	/* A child that could not become the command has said why. */
	if (k.errors >= 0)
		execed();
}

/* --- the beginning ------------------------------------------------------ */

static int write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int map_user(void)
{
	char map[64];
	int err = write_file("/proc/self/setgroups", "deny");

	snprintf(map, sizeof(map), "%u %u 1", k.s->uid, k.s->uid);
	if (!err)
		err = write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "%u %u 1", k.s->gid, k.s->gid);
	if (!err)
		err = write_file("/proc/self/gid_map", map);
	return err;
}

/* What is mounted outside is seen inside, not the other way. */
static int enter_namespaces(void)
{
	int err = k.s->user ? map_user() : 0;

	if (err)
		return err;
	if (mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL))
		return -errno;
	return 0;
}

static pid_t fork_command(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	bool by_hand = false;
	int errors[2];
	pid_t pid;

	if (pipe2(errors, O_CLOEXEC))
		return -errno;
	if (k.s->group.fd >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)k.s->group.fd;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && errno == ENOSYS) {
		/* A seccomp filter. */
		by_hand = args.flags;
		pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	}
	if (!pid) {
		if (by_hand && group_enter(&k.s->group))
			_exit(125);
		command_main(k.s, k.self, errors[1]);
	}
	if (pid < 0)
		pid = -errno;
	close(errors[1]);
	k.errors = errors[0];
	return pid;
}

static int fork_sentry(void)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		return -errno;
	k.sentry = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!k.sentry)
		sentry_main(k.self, k.command, p[1]);
	close(p[1]);
	k.interrupts = p[0];
	return k.sentry < 0 ? -errno : 0;
}

static int begin(void)
{
	enum undead_guarantee g = k.s->how.guarantee;
	unsigned int job = UNDEAD_TTY | UNDEAD_INTERRUPT;
	int err = 0;

	k.self = getpid();
	k.r.guarantee = g;
	prctl(PR_SET_NAME, "undead-keeper");
	setpgid(0, 0);
	if (g == UNDEAD_PIDNS)
		err = enter_namespaces();
	else if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		err = -errno;
	if (!err && g == UNDEAD_CGROUP)
		err = group_make(&k.s->group);
	if (err)
		return err;
	k.asked = mmap(NULL, PID_WORDS * sizeof(*k.asked),
		       PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	if (k.asked == MAP_FAILED)
		return -ENOMEM;
	k.command = fork_command();
	if (k.command < 0)
		return k.command;
	/* Whoever of the two is first. */
	if (!(k.s->how.flags & UNDEAD_SETSID))
		setpgid(k.command, k.command);
	return (k.s->how.flags & job) == job ? fork_sentry() : 0;
}

static int listen_to_children(void)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	k.signals = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	return k.signals < 0 ? -errno : 0;
}

/* Whoever waits for the end of a pipe of the command must not wait for us. */
static void drop_files(void)
{
	int mine[] = { k.signals,
		       k.errors,
		       k.interrupts,
		       k.s->sock,
		       k.s->caller,
		       k.s->group.fd,
		       k.s->group.parent,
		       k.s->how.flags & UNDEAD_TTY ? k.s->how.tty : -1 };
	int from = 0;

	for (;;) {
		int next = INT32_MAX;

		for (size_t i = 0; i < ARRAY_SIZE(mine); i++)
			if (mine[i] >= from && mine[i] < next)
				next = mine[i];
		if (next > from)
			syscall(SYS_close_range, from, next - 1, 0);
		if (next == INT32_MAX)
			return;
		from = next + 1;
	}
}

void keeper_main(struct keeper_start *s)
{
	int err;

	k.s = s;
	/* Ignored, it would reap behind our back: do_notify_parent(). */
	s->chld_ignored = signal(SIGCHLD, SIG_DFL) == SIG_IGN;
	err = listen_to_children();
	if (!err)
		err = begin();
	if (err) {
		if (k.command > 0) {
			kill(k.command, SIGKILL);
			waitpid(k.command, NULL, 0);
		}
		group_remove(&s->group, EMPTY_MS);
		tell(NEWS_FAILED, err);
		_exit(1);
	}
	tell(NEWS_STARTED, 0);
	drop_files();
	if (chdir("/"))
		_exit(1);
	keep();
	group_remove(&s->group, EMPTY_MS);
	tell(NEWS_ENDED, 0);
	_exit(0);
}
