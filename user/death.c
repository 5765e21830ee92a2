// SPDX-License-Identifier: GPL-2.0
/* One death, all its views. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "core/await.h"
#include "core/pidfd.h"
#include "core/proc.h"
#include "core/trace.h"
#include "stage.h"

/* si_code and si_status as a wait status. */
static int wait_status(int code, int status)
{
	switch (code) {
	case CLD_EXITED:
		return status << 8;
	case CLD_KILLED:
		return status;
	case CLD_DUMPED:
		return status | 0x80;
	default:
		return -1;
	}
}

/* And back. */
static int wait_code(int status)
{
	if (!(status & 0x7f))
		return CLD_EXITED;
	return status & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

/* A stop is no death; one that came while another was pending is lost. */
static int sigchld_status(struct actor *p)
{
	int status = -1;

	stage_read_sigchld();
	for (int i = 0; i < stage.nr_told; i++) {
		const struct signalfd_siginfo *si = &stage.told[i];

		if ((pid_t)si->ssi_pid == p->pid &&
		    wait_status(si->ssi_code, 0) >= 0)
			status = wait_status(si->ssi_code, si->ssi_status);
	}
	return status;
}

static bool sigchld_seen(void *p)
{
	return sigchld_status(p) >= 0;
}

static int info_status(struct actor *p)
{
	struct pidfd_details d = { .mask = PIDFD_INFO_EXIT_BIT };

	if (pidfd_details(p->pidfd, &d) || !(d.mask & PIDFD_INFO_EXIT_BIT))
		return -1;
	return d.exit_code;
}

static bool has_thread(const struct actor *p, pid_t tid)
{
	for (int i = 0; i < p->nr; i++)
		if (p->threads[i].tid == tid)
			return true;
	return false;
}

/* What a thread of @p told us: its parent's or its tracer's end tells it too. */
static int traced_code(const struct actor *p)
{
	int code = -1, told = 0;

	while (stage.nr_sent < (int)ARRAY_SIZE(stage.sent) &&
	       trace_next(&stage.sent[stage.nr_sent]))
		stage.nr_sent++;
	for (int i = 0; i < stage.nr_sent; i++) {
		const struct trace_signal *s = &stage.sent[i];

		if (s->to != getpid() || !has_thread(p, s->by) ||
		    wait_status(s->code, 0) < 0)
			continue;
		code = s->code;
		told++;
	}
	return told > 1 ? 0 : code;
}

struct waiting {
	pid_t pid;
	siginfo_t si;
	int err;
};

static bool waited_for(void *arg)
{
	struct waiting *w = arg;

	w->si.si_pid = 0;
	w->err = waitid(P_PID, (id_t)w->pid, &w->si,
			WEXITED | WNOWAIT | WNOHANG) < 0 ?
			 errno :
			 0;
	return !w->err && w->si.si_pid == w->pid;
}

/* Not a wait that blocks: its wake-up might be lost. */
static int wait_for(struct actor *p)
{
	struct waiting w = { .pid = p->pid };

	if (await_true(waited_for, &w, AWAIT_MS))
		return wait_status(w.si.si_code, w.si.si_status);
	expect(false, "wait_consider_task(): a child that is a zombie",
	       "waitid(%s %d, WEXITED): %s", p->name, p->pid,
	       w.err ? strerror(w.err) : "nothing to report");
	broken("cannot reap %s %d", p->name, p->pid);
}

/* A child of ours that is dead, and has been announced if ever it will be. */
static struct views look(struct actor *p)
{
	struct views v;
	int64_t code = -1;

	v.sigchld = sigchld_status(p);
	proc_stat_field(p->pid, 0, 52, &code);
	v.stat = (int)code;
	v.wnowait = wait_for(p);
	if (waitpid(p->pid, &v.wait, WNOHANG) != p->pid)
		v.wait = -1;
	v.info = info_status(p);
	v.code = traced_code(p);
	return v;
}

static void await_death(struct actor *p)
{
	if (await_readable(p->pidfd, AWAIT_MS))
		return;
	expect(false, "do_notify_pidfd(): wakes whoever polls, at its death",
	       "pidfd of %s %d: silent, expected to be readable", p->name,
	       p->pid);
	broken("%s %d does not die", p->name, p->pid);
}

struct views view_death(struct actor *p)
{
	if (!await_readable(p->pidfd, AWAIT_MS)) {
		expect(false, "do_notify_parent(): do_notify_pidfd()",
		       "%s %d does not die", p->name, p->pid);
		return (struct views){ -1, -1, -1, -1, -1, -1 };
	}
	/* If it is adopted, only this tells when. */
	await_true(sigchld_seen, p, AWAIT_MS);
	return look(p);
}

static void expect_view(struct actor *p, int seen, int want, const char *view,
			const char *why)
{
	if (want < 0)
		return;
	expect(seen == want, why, "%s %d, %s: status %#x (expected %#x)",
	       p->name, p->pid, view, (unsigned int)seen, (unsigned int)want);
}

void expect_views(struct actor *p, const struct views *seen,
		  const struct views *want, const char *why)
{
	int code;

	expect_view(p, seen->sigchld, want->sigchld, "SIGCHLD", why);
	expect_view(p, seen->stat, want->stat, "/proc/PID/stat", why);
	expect_view(p, seen->wnowait, want->wnowait, "waitid(WNOWAIT)", why);
	expect_view(p, seen->wait, want->wait, "wait4()", why);
	/* Older kernels have nothing to say. */
	if (seen->info >= 0 || !kernel_before(6, 15))
		expect_view(p, seen->info, want->info, "PIDFD_GET_INFO", why);
	if (seen->code < 0 || want->sigchld < 0)
		return;
	code = wait_code(want->sigchld);
	expect(seen->code == code, why,
	       "%s %d, tracepoint signal_generate: %s, si_code %d (expected %d)",
	       p->name, p->pid, seen->code ? "one SIGCHLD" : "many SIGCHLDs",
	       seen->code, code);
}

void expect_death(struct actor *p, int status, const char *why)
{
	struct views seen = view_death(p);
	struct views want = { status, status, status, status, status, -1 };

	expect_views(p, &seen, &want, why);
}

struct text {
	char s[16];
};

static struct text code_text(int status)
{
	struct text t = { "-" };

	if (status >= 0)
		snprintf(t.s, sizeof(t.s), "%#x", (unsigned int)status);
	return t;
}

static bool agree(int a, int b)
{
	return a < 0 || b < 0 || a == b;
}

/*
 * One process, one code. A leader that other threads outlived has had one of its
 * own besides: the scenarios exit-code-* say who tells that, and where.
 */
void reap(struct actor *p)
{
	bool alone = p->nr == 1, ok;
	struct views v;

	await_death(p);
	/* The pidfd wakes first, and both happen under tasklist_lock. */
	barrier();
	v = look(p);
	ok = agree(v.sigchld, v.info) && agree(v.stat, v.wnowait) &&
	     (kernel_before(5, 17) || agree(v.wnowait, v.wait)) &&
	     (!alone || agree(v.sigchld, v.wait));
	expect(ok,
	       "do_notify_parent(), wait_task_zombie(), pidfs_exit(): one death",
	       "%s %d reaped: SIGCHLD %s, stat %s, WNOWAIT %s, wait4() %s, pidfd %s",
	       p->name, p->pid, code_text(v.sigchld).s, code_text(v.stat).s,
	       code_text(v.wnowait).s, code_text(v.wait).s,
	       code_text(v.info).s);
}
