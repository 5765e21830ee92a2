// SPDX-License-Identifier: GPL-2.0
/* Waits of any kind, by any thread. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/await.h"
#include "core/proc.h"
#include "stage.h"

struct text {
	char s[160];
};

static struct text who_text(int64_t who)
{
	static const char *const types[] = { "P_ALL", "P_PID", "P_PGID",
					     "P_PIDFD" };
	int type = (int)(who >> 32), id = (int)who;
	struct text t;

	if (!type && id)
		type = P_PID;
	snprintf(t.s, sizeof(t.s), "%s, %d",
		 type < (int)ARRAY_SIZE(types) ? types[type] : "?", id);
	return t;
}

static struct text options_text(int options)
{
	static const struct {
		int bit;
		const char *name;
	} names[] = {
		{ WNOHANG, "WNOHANG" },    { WSTOPPED, "WSTOPPED" },
		{ WEXITED, "WEXITED" },    { WCONTINUED, "WCONTINUED" },
		{ WNOWAIT, "WNOWAIT" },    { (int)__WNOTHREAD, "__WNOTHREAD" },
		{ (int)__WALL, "__WALL" }, { (int)__WCLONE, "__WCLONE" },
	};
	struct text t = { "0" };
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (options & names[i].bit)
			at += (size_t)snprintf(t.s + at, sizeof(t.s) - at,
					       "%s%s", at ? "|" : "",
					       names[i].name);
	return t;
}

static struct text event_text(int64_t r)
{
	static const char *const codes[] = { "?",        "EXITED",  "KILLED",
					     "DUMPED",   "TRAPPED", "STOPPED",
					     "CONTINUED" };
	struct text t;
	int code = WAITED_CODE(r);

	if (r < 0)
		snprintf(t.s, sizeof(t.s), "%s", strerrorname_np((int)-r));
	else if (!r)
		snprintf(t.s, sizeof(t.s), "nothing to report");
	else
		snprintf(t.s, sizeof(t.s), "%d, CLD_%s, %#x", WAITED_PID(r),
			 codes[code < (int)ARRAY_SIZE(codes) ? code : 0],
			 (unsigned int)WAITED_STATUS(r));
	return t;
}

/* "R 42: waitid(P_PID, 43, WEXITED)" */
static struct text wait_text(struct thread *by, int64_t who, int options)
{
	struct text t;

	snprintf(t.s, sizeof(t.s), "%s %d: waitid(%.30s, %.60s)",
		 by ? by->name : "runner", by ? by->tid : getpid(),
		 who_text(who).s, options_text(options).s);
	return t;
}

static void expect_event(const char *what, int64_t seen, int64_t wanted,
			 const char *why)
{
	if (seen == wanted)
		expect(true, why, "%s: %s", what, event_text(seen).s);
	else
		expect(false, why, "%s: %s (expected %s)", what,
		       event_text(seen).s, event_text(wanted).s);
}

/* What a thread replies. */
static void expect_reply(struct thread *t, const char *what, int64_t wanted,
			 const char *why)
{
	int64_t seen;

	if (thread_result(t, AWAIT_MS, &seen))
		expect(false, why, "%s: does not return (expected %s)", what,
		       event_text(wanted).s);
	else
		expect_event(what, seen, wanted, why);
}

void expect_wait_by(order_fn fn, struct thread *by, int64_t who, int options,
		    int64_t wanted, const char *why)
{
	struct order o = { .arg = { who, options } };
	struct text what = wait_text(by, who, options);

	barrier();
	if (by) {
		tell(by, fn, who, options);
		expect_reply(by, what.s, wanted, why);
	} else {
		expect_event(what.s, fn(&o), wanted, why);
	}
}

void expect_wait(struct thread *by, int64_t who, int options, int64_t wanted,
		 const char *why)
{
	expect_wait_by(order_wait, by, who, options, wanted, why);
}

static bool in_wait(void *arg)
{
	struct thread *t = arg;
	struct proc_status st;
	int nr;

	if (proc_status(t->actor->pid, t->tid, &st) || st.state != 'S')
		return false;
	nr = proc_syscall(t->actor->pid, t->tid);
	return nr == SYS_waitid || nr == SYS_io_uring_enter;
}

static bool asleep_or_done(void *arg)
{
	struct thread *t = arg;

	return in_wait(t) || await_readable(t->cmd, 0);
}

void begin_wait_by(order_fn fn, struct thread *by, int64_t who, int options)
{
	struct text what = wait_text(by, who, options);

	tell(by, fn, who, options);
	if (!await_true(asleep_or_done, by, AWAIT_MS))
		broken("not seen asleep: %s", what.s);
	if (await_readable(by->cmd, 0))
		expect(false, "do_wait(): nothing to report yet, so it sleeps",
		       "%s: returned at once", what.s);
}

void begin_wait(struct thread *by, int64_t who, int options)
{
	begin_wait_by(order_wait, by, who, options);
}

void expect_wait_goes_on(struct thread *by, const char *why)
{
	bool asleep;

	barrier();
	/* A wake-up in vain would put it back to sleep: await it. */
	asleep = await_true(in_wait, by, AWAIT_MS);
	expect(asleep && !await_readable(by->cmd, 0), why,
	       "%s %d, blocked in waitid(): %s", by->name, by->tid,
	       asleep ? "still asleep" : "returned, expected to sleep");
}

void expect_wait_ends(struct thread *by, int64_t wanted, const char *why)
{
	char what[64];

	snprintf(what, sizeof(what), "%s %d, blocked in waitid()", by->name,
		 by->tid);
	expect_reply(by, what, wanted, why);
}
