// SPDX-License-Identifier: GPL-2.0
/* For the authors of verdicts: what is said of a thread. */
#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/out.h"
#include "verdict.h"

/* Whatever went into it: a snapshot may say anything. */
void line(struct lines *l, const char *fmt, ...)
{
	va_list args;
	char *text;

	if (l->nr == (int)ARRAY_SIZE(l->text))
		return;
	text = l->text[l->nr++];
	va_start(args, fmt);
	vsnprintf(text, sizeof(l->text[0]), fmt, args);
	va_end(args);
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

bool on_stack(const struct task *t, const char *function)
{
	const char *p = t->stack;
	size_t n = strlen(function);

	if (!strcmp(t->wchan, function))
		return true;
	for (;;) {
		if (!strncmp(p, function, n) && strchr(" .", p[n]))
			return true;
		p = strstr(p, " <- ");
		if (!p)
			return false;
		p += 4;
	}
}

/*
 * do_freezer_trap() of v2 is inlined by most compilers: nobody else sleeps in
 * get_signal() itself, but for stops, which are T or t.
 */
bool in_freezer(const struct task *t)
{
	if (on_stack(t, "do_freezer_trap") || on_stack(t, "__refrigerator"))
		return true;
	return t->st.state == 'S' &&
	       (!strncmp(t->stack, "get_signal ", strlen("get_signal ")) ||
		!strcmp(t->wchan, "get_signal"));
}

char *duration_text(char *text, size_t size, int64_t ms)
{
	int64_t s = ms / 1000;

	if (s >= 86400)
		snprintf(text, size, "%" PRId64 " d %" PRId64 " h", s / 86400,
			 s / 3600 % 24);
	else if (s >= 3600)
		snprintf(text, size, "%" PRId64 " h %" PRId64 " min", s / 3600,
			 s / 60 % 60);
	else if (s >= 60)
		snprintf(text, size, "%" PRId64 " min %" PRId64 " s", s / 60,
			 s % 60);
	else
		snprintf(text, size, "%" PRId64 ".%" PRId64 " s", s,
			 ms / 100 % 10);
	return text;
}

/* --- a thread ----------------------------------------------------------- */

static void blame_syscall(struct finding *f, const struct task *t)
{
	const struct clue *c = &t->clue;
	char file[3 * sizeof(c->file) / 2], type[64], source[256], where[256];
	char *name;

	/* What it was in when it was killed says nothing. */
	if (t->syscall < 0 || t->exiting)
		return;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, t->syscall);
	out_safe(file, sizeof(file), c->file);
	if (c->fd < 0)
		line(&f->blocker, "in system call %d (%s)", t->syscall,
		     name ? name : "unknown here");
	else
		line(&f->blocker, "in system call %d (%s) of descriptor %d%s%s",
		     t->syscall, name ? name : "unknown here", c->fd,
		     *file ? ": " : "", file);
	if (*c->type)
		line(&f->blocker, "that is on %s %s at %s",
		     out_safe(type, sizeof(type), c->type),
		     out_safe(source, sizeof(source), c->source),
		     out_safe(where, sizeof(where), c->where));
	free(name);
}

static void blame_log(struct finding *f, const struct task *t)
{
	char name[256], text[32];

	if (t->clue.hung_s)
		line(&f->blocker,
		     "the kernel's log has it blocked for more than %s",
		     duration_text(text, sizeof(text),
				   (int64_t)t->clue.hung_s * 1000));
	if (*t->clue.owner)
		line(&f->blocker,
		     "the lock it waits for is likely held by %d %s, says the kernel's log",
		     t->clue.owner_pid,
		     out_safe(name, sizeof(name), t->clue.owner));
}

static void blame_signals(struct finding *f, const struct task *t)
{
	if (t->exiting)
		line(&f->blocker,
		     "inside do_exit() (PF_EXITING): signals have no effect on it any more");
	else if (t->killed)
		line(&f->blocker,
		     "SIGKILL is pending there, and is taken when it leaves the kernel");
}

static void blame_reading(struct finding *f, const struct task *t)
{
	if (t->locked)
		line(&f->blocker,
		     "reading where it is does not end: somebody holds its exec_update_lock");
	else if (t->read == -EAGAIN)
		line(&f->blocker,
		     "where it is could not be read: there is no process left to read it with");
}

void blame(struct finding *f, const struct task *t)
{
	char name[256], since[32];
	char at[600] = "";

	if (f->nr_blamed++ >= (int)ARRAY_SIZE(f->blamed))
		return;
	f->blamed[f->nr_blamed - 1] = t;
	out_safe(name, sizeof(name), t->st.name);
	if (*t->stack)
		snprintf(at, sizeof(at), " in %.500s", t->stack);
	else if (*t->wchan)
		snprintf(at, sizeof(at), " in %s", t->wchan);
	line(&f->blocker, "%d %s  %c%s%s%s", t->st.pid, name, t->st.state,
	     t->idle_ms >= 0 && t->st.state != 'R' ? " for " : "",
	     t->idle_ms >= 0 && t->st.state != 'R' ?
		     duration_text(since, sizeof(since), t->idle_ms) :
		     "",
	     at);
	blame_syscall(f, t);
	blame_signals(f, t);
	blame_log(f, t);
	blame_reading(f, t);
}

const struct task *stuck_task(const struct patient *p)
{
	for (int i = 0; i < p->nr; i++)
		if (!p->tasks[i].dead &&
		    (p->tasks[i].killed || p->tasks[i].exiting))
			return &p->tasks[i];
	return NULL;
}

/* --- what helps --------------------------------------------------------- */

static bool in_part(const struct task *t, const char *part)
{
	return strstr(t->stack, part) || strstr(t->wchan, part);
}

static bool fuse_helps(const struct patient *p, struct finding *f,
		       const struct task *t)
{
	static const char abort[] =
		"or abort its connection (all that use it get an error)";

	if (!t->clue.fuse && !in_part(t, "fuse_") &&
	    !in_part(t, "request_wait_answer"))
		return false;
	line(&f->helps,
	     "the FUSE server does not answer: mend it, or let it go on");
	if (t->clue.fuse)
		line(&f->helps, "%s: echo 1 >/sys/fs/fuse/connections/%u/abort",
		     abort, t->clue.fuse);
	else
		line(&f->helps,
		     "%s: echo 1 >/sys/fs/fuse/connections/N/abort; N may be %s",
		     abort, *p->fuse ? p->fuse : "any that is there");
	return true;
}

static bool nfs_helps(struct finding *f, const struct task *t)
{
	const struct clue *c = &t->clue;
	char server[256], where[256];

	if (strncmp(c->type, "nfs", 3) && !in_part(t, "nfs_") &&
	    !in_part(t, "nfs4_") && !in_part(t, "rpc_"))
		return false;
	out_safe(server, sizeof(server), c->source);
	server[strcspn(server, ":")] = '\0';
	out_safe(where, sizeof(where), c->where);
	line(&f->helps, "the NFS server %s%sdoes not answer: bring it back",
	     *c->type ? server : "", *c->type ? " " : "");
	/* nfs_wb_all() in do_exit(): complete_signal() passes over the exiting. */
	if (!t->exiting)
		line(&f->helps, "kill -9: the sleeps of NFS are killable");
	line(&f->helps, "umount -f %s: what waits gets an error",
	     *c->type ? where : "MOUNTPOINT");
	return true;
}

/* percpu_rwsem_wait() alone may be some other lock of that kind. */
static bool waits_for_thaw(const struct task *t)
{
	static const char *const writers[] = { "mnt_want_write", "sb_start_",
					       "vfs_",           "do_iter_",
					       "path_openat",    "truncate" };

	if (!in_part(t, "percpu_rwsem_wait") && !in_part(t, "percpu_down_read"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		if (in_part(t, writers[i]))
			return true;
	return *t->clue.type;
}

static bool freeze_helps(struct finding *f, const struct task *t)
{
	char where[256];

	if (!waits_for_thaw(t))
		return false;
	out_safe(where, sizeof(where), t->clue.where);
	line(&f->helps, "its filesystem is frozen: fsfreeze -u %s",
	     *where ? where : "MOUNTPOINT");
	return true;
}

static const struct {
	const char *part; /* of a function's name on the stack */
	const char *helps;
} hints[] = {
	{ "cifs",
	  "the SMB server does not answer: bring it back, or umount -f the mount" },
	{ "ceph", "the Ceph cluster does not answer: look at its health" },
	{ "exit_aio",
	  "whatever completes the asynchronous I/O of its address space" },
	{ "io_uring", "whatever completes its io_uring requests" },
	{ "zap_pid_ns_processes",
	  "the end of the tasks that are left in its pid name space" },
	{ "submit_bio", "the block device: look for its errors in dmesg" },
	{ "blk_", "the block device: look for its errors in dmesg" },
	{ "io_schedule",
	  "the device it does I/O on: look for its errors in dmesg" },
	{ "mutex_lock",
	  "the holder of that mutex: echo w >/proc/sysrq-trigger lists all tasks in D" },
	{ "rwsem_",
	  "the holder of that lock: echo w >/proc/sysrq-trigger lists all tasks in D" },
};

static bool owner_helps(struct finding *f, const struct task *t)
{
	if (!t->clue.owner_pid)
		return false;
	line(&f->helps, "who likely holds the lock: look at %d",
	     t->clue.owner_pid);
	return true;
}

void what_helps(const struct patient *p, struct finding *f,
		const struct task *t)
{
	const char *module = strchr(t->stack, '[');

	if (owner_helps(f, t) || fuse_helps(p, f, t) || nfs_helps(f, t) ||
	    freeze_helps(f, t))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (in_part(t, hints[i].part)) {
			line(&f->helps, "%s", hints[i].helps);
			return;
		}
	if (module)
		line(&f->helps,
		     "whatever the driver %.*s waits for; a reboot if nothing does",
		     (int)strcspn(module, "]") + 1, module);
	else
		line(&f->helps,
		     "whatever completes what it waits for; a reboot if nothing does");
}
