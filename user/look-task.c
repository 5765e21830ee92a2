// SPDX-License-Identifier: GPL-2.0
/* One thread: its state, and where in the kernel it is. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "core/out.h"
#include "look.h"

#define PF_EXITING 0x4
#define STAT_FLAGS 9

static const char *const files[INSIDE_FILES] = { "stat", "wchan", "stack",
						 "syscall" };

/* "[<0>] name+0x1/0x2 [module]", a line each, as "name <- name [module]". */
static void parse_stack(const char *text, char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	while (text && *text && n < size) {
		size_t len = strcspn(text, "\n");
		const char *module = memmem(text, len, " [", 2);
		char name[128];

		if (sscanf(text, "[<%*[0-9a-fx]>] %127[^+\n]", name) == 1)
			n += (size_t)snprintf(out + n, size - n, "%s%s%.*s",
					      n ? " <- " : "", name,
					      module ? (int)(len -
							     (size_t)(module -
								      text)) :
						       0,
					      module ? module : "");
		text += len + (text[len] == '\n');
	}
}

/* se.exec_start: milliseconds of a clock, when it ran last. */
static double ran_last(const char *sched)
{
	const char *p = strstr(sched, "\nse.exec_start");
	double ms;

	p = p ? strchr(p, ':') : NULL;
	return p && sscanf(p, ": %lf", &ms) == 1 ? ms : -1;
}

/* Against our own, for we run: update_curr() sets it. */
static int64_t idle(struct snap *s, pid_t pid, pid_t tid)
{
	const char *ours, *theirs;
	double now, then;

	if (snap_read(s, pid, tid, "sched", &theirs) ||
	    snap_file(s, "self/sched", &ours))
		return -1;
	now = ran_last(ours);
	then = ran_last(theirs);
	if (now < 0 || then < 0)
		return -1;
	return now > then ? (int64_t)(now - then) : 0;
}

void look_since(struct snap *s, pid_t pid, struct task *t)
{
	t->idle_ms = idle(s, pid, t->st.pid);
}

int look_at(struct snap *s, pid_t pid, pid_t tid, struct task *t)
{
	const char *text;
	int err = snap_read(s, pid, tid, "status", &text);

	*t = (struct task){ .syscall = -1,
			    .read = -ENODATA,
			    .idle_ms = -1,
			    .clue = { .fd = -1 } };
	if (!err)
		err = proc_status_parse(text, &t->st);
	if (err)
		return err;
	t->dead = t->st.state == 'Z' || t->st.state == 'X';
	t->killed = (t->st.sigpnd | t->st.shdpnd) & SIGBIT(SIGKILL);
	return 0;
}

void want_inside(struct snap *s, pid_t pid, pid_t tid, int file)
{
	snap_want(s, pid, tid, files[file]);
}

/* "0 0x3 0x7ffe... 0x1000 ... sp pc", "running", or "-1 sp pc". */
static void parse_syscall(const char *text, struct task *t)
{
	if (sscanf(text, "%d %" SCNx64 " %" SCNx64 " %" SCNx64, &t->syscall,
		   &t->args[0], &t->args[1], &t->args[2]) != 4)
		t->syscall = -1;
}

void look_inside(struct snap *s, pid_t pid, struct task *t)
{
	char stack[sizeof(t->stack)];
	pid_t tid = t->st.pid;
	const char *text;
	int64_t flags;

	look_since(s, pid, t);
	for (int i = 0; i < INSIDE_FILES; i++) {
		int err = snap_read(s, pid, tid, files[i], &text);

		t->locked |= err == -ETIMEDOUT;
		t->refused |= err == -EACCES || err == -EPERM;
		if (!i)
			t->read = err;
	}
	snap_read(s, pid, tid, "stat", &text);
	if (!proc_stat_parse(text, STAT_FLAGS, &flags))
		t->exiting = flags & PF_EXITING;
	snap_read(s, pid, tid, "wchan", &text);
	if (strcmp(text, "0") != 0)
		out_safe(t->wchan, sizeof(t->wchan), text);
	snap_read(s, pid, tid, "stack", &text);
	parse_stack(text, stack, sizeof(stack));
	out_safe(t->stack, sizeof(t->stack), stack);
	snap_read(s, pid, tid, "syscall", &text);
	parse_syscall(text, t);
}
