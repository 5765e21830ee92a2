// SPDX-License-Identifier: GPL-2.0
/* One death, all its views. */
#include <errno.h>
#include <signal.h>
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

static bool sigchld_seen(void *arg)
{
	struct actor *p = arg;

	stage_read_sigchld();
	for (int i = 0; i < stage.nr_told; i++)
		if ((pid_t)stage.told[i].ssi_pid == p->pid)
			return true;
	return false;
}

static int sigchld_status(struct actor *p)
{
	if (!await_true(sigchld_seen, p, AWAIT_MS))
		return -1;
	for (int i = 0; i < stage.nr_told; i++)
		if ((pid_t)stage.told[i].ssi_pid == p->pid)
			return wait_status(stage.told[i].ssi_code,
					   stage.told[i].ssi_status);
	return -1;
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

struct views view_death(struct actor *p)
{
	struct views v;
	siginfo_t si = { 0 };
	int64_t code = -1;

	if (!await_readable(p->pidfd, AWAIT_MS))
		broken("%s %d does not die", p->name, p->pid);
	v.sigchld = sigchld_status(p);
	proc_stat_field(p->pid, 0, 52, &code);
	v.stat = (int)code;
	if (waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOWAIT) < 0)
		broken("waitid(%s %d, WNOWAIT): %m", p->name, p->pid);
	v.wnowait = wait_status(si.si_code, si.si_status);
	if (waitpid(p->pid, &v.wait, 0) != p->pid)
		broken("wait4(%s %d): %m", p->name, p->pid);
	v.info = info_status(p);
	v.code = traced_code(p);
	return v;
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
