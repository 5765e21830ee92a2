// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/out.h"
#include "doctor.h"

extern const struct verdict *__start_verdicts[], *__stop_verdicts[];

#define PF_EXITING  0x4
#define STAT_FLAGS  9
#define MAX_THREADS 4096

static int by_rank(const void *a, const void *b)
{
	const struct verdict *x = *(const struct verdict *const *)a;
	const struct verdict *y = *(const struct verdict *const *)b;

	return x->rank - y->rank;
}

const struct verdict *const *verdicts(size_t *n)
{
	static const struct verdict *sorted[64];
	size_t nr = (size_t)(__stop_verdicts - __start_verdicts);

	if (!sorted[0]) {
		memcpy(sorted, __start_verdicts, nr * sizeof(*sorted));
		qsort(sorted, nr, sizeof(*sorted), by_rank);
	}
	*n = nr;
	return sorted;
}

/* --- one task ----------------------------------------------------------- */

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

static void look_inside(struct snap *s, pid_t pid, struct task *t)
{
	pid_t tid = t->st.pid;
	const char *text;
	int64_t flags;

	snap_reader(s, pid, tid, READER_MS);
	t->read = snap_read(s, pid, tid, "stat", &text);
	if (!t->read && !proc_stat_parse(text, STAT_FLAGS, &flags))
		t->exiting = flags & PF_EXITING;
	if (!snap_read(s, pid, tid, "wchan", &text) && strcmp(text, "0") != 0)
		snprintf(t->wchan, sizeof(t->wchan), "%s", text);
	if (!snap_read(s, pid, tid, "stack", &text))
		parse_stack(text, t->stack, sizeof(t->stack));
	if (snap_read(s, pid, tid, "syscall", &text) ||
	    sscanf(text, "%d", &t->syscall) != 1)
		t->syscall = -1;
}

static int look_at(struct snap *s, pid_t pid, pid_t tid, struct task *t)
{
	const char *text;
	int err = snap_read(s, pid, tid, "status", &text);

	*t = (struct task){ .syscall = -1, .read = -ENODATA };
	if (!err)
		err = proc_status_parse(text, &t->st);
	if (err)
		return err;
	t->dead = t->st.state == 'Z' || t->st.state == 'X';
	t->killed = (t->st.sigpnd | t->st.shdpnd) & SIGBIT(SIGKILL);
	return 0;
}

/* --- a process ---------------------------------------------------------- */

static int look_at_tasks(struct snap *s, struct patient *p)
{
	const pid_t *tids;
	int n = snap_tasks(s, p->pid, &tids);

	if (n < 0)
		return n;
	n = n < MAX_THREADS ? n : MAX_THREADS;
	p->tasks = calloc((size_t)n + 1, sizeof(*p->tasks));
	if (!p->tasks)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		struct task *t = &p->tasks[p->nr];

		/* A thread may be gone by now. */
		if (look_at(s, p->pid, tids[i], t))
			continue;
		p->alive += !t->dead;
		p->nr++;
	}
	return p->nr && p->tasks[0].st.pid == p->pid ? 0 : -ESRCH;
}

/* A frozen task sleeps in its signal handling (v2), or refrigerator (v1). */
static void look_for_ice(struct patient *p)
{
	for (int i = 0; i < p->nr; i++)
		if (on_stack(&p->tasks[i], "do_freezer_trap") ||
		    on_stack(&p->tasks[i], "__refrigerator"))
			p->frozen = true;
}

static void look_at_tracer(struct snap *s, struct patient *p)
{
	for (int i = 0; i < p->nr && !p->traced; i++)
		if (p->tasks[i].st.tracer)
			p->traced = p->tasks[i].st.pid;
	for (int i = 0; i < p->nr; i++)
		if (p->tasks[i].st.pid == p->traced)
			look_at(s, p->tasks[i].st.tracer, 0, &p->tracer);
}

/* Everybody's parent is in status, on kernels without PROC_CHILDREN too. */
static void look_at_family(struct snap *s, struct patient *p)
{
	pid_t parent = p->tasks[0].st.ppid;
	const pid_t *pids;
	int n;

	if (parent <= 0 || look_at(s, parent, 0, &p->parent))
		return;
	look_inside(s, parent, &p->parent);
	n = snap_tasks(s, 0, &pids);
	for (int i = 0; i < n; i++) {
		struct task t;

		if (look_at(s, pids[i], 0, &t))
			continue;
		if (t.st.ppid == parent && t.st.state == 'Z')
			p->parent_zombies++;
		/* A child made by vfork() has run nothing of its own yet. */
		if (t.st.ppid == p->pid && !t.dead && !p->vfork &&
		    t.st.vm_rss_kb >= 0 &&
		    t.st.vm_rss_kb == p->tasks[0].st.vm_rss_kb)
			p->vfork = pids[i];
	}
}

/* A thread that sleeps in a process that nobody has killed tells nothing. */
static bool worth_a_look(const struct patient *p, const struct task *t)
{
	return !t->dead && (p->tasks[0].dead || t->st.state != 'S' ||
			    t->killed || t->st.dumping || p->nr == 1);
}

static int look_closer(struct snap *s, struct patient *p)
{
	int err = look_at_tasks(s, p);

	if (err)
		return err;
	for (int i = 0; i < p->nr; i++)
		if (worth_a_look(p, &p->tasks[i]))
			look_inside(s, p->pid, &p->tasks[i]);
	look_for_ice(p);
	look_at_tracer(s, p);
	look_at_family(s, p);
	return 0;
}

static void compare(const struct patient *before, struct patient *p)
{
	for (int i = 0; i < p->nr; i++)
		for (int j = 0; j < before->nr; j++)
			if (before->tasks[j].st.pid == p->tasks[i].st.pid)
				p->tasks[i].still = before->tasks[j].st.state ==
						    p->tasks[i].st.state;
}

void patient_free(struct patient *p)
{
	free(p->tasks);
	p->tasks = NULL;
	p->nr = 0;
	p->alive = 0;
}

static void first_look(struct snap *s, struct patient *p)
{
	struct task t;

	p->err = look_at(s, p->asked, 0, &t);
	p->pid = t.st.tgid;
	if (!p->err)
		p->err = look_at_tasks(s, p);
}

static void second_look(struct snap *s, struct patient *p)
{
	struct patient before = *p;

	*p = (struct patient){ .asked = before.asked, .pid = before.pid };
	p->err = look_closer(s, p);
	if (!p->err)
		compare(&before, p);
	patient_free(&before);
}

void examine(struct snap *s, struct patient *p, int n)
{
	for (int i = 0; i < n; i++)
		first_look(s, &p[i]);
	snap_again(s, SECOND_LOOK_MS);
	for (int i = 0; i < n; i++)
		if (!p[i].err)
			second_look(s, &p[i]);
}

const struct verdict *judge(const struct patient *p, struct finding *f)
{
	size_t n;
	const struct verdict *const *all = verdicts(&n);

	for (size_t i = 0; i < n; i++) {
		*f = (struct finding){ 0 };
		if (all[i]->has(p, f))
			return all[i];
	}
	return NULL;
}

/* --- for the authors of verdicts ---------------------------------------- */

void line(struct lines *l, const char *fmt, ...)
{
	va_list args;

	if (l->nr == (int)ARRAY_SIZE(l->text))
		return;
	va_start(args, fmt);
	vsnprintf(l->text[l->nr++], sizeof(l->text[0]), fmt, args);
	va_end(args);
}

bool on_stack(const struct task *t, const char *function)
{
	const char *p = t->stack;
	size_t n = strlen(function);

	if (!strcmp(t->wchan, function))
		return true;
	for (; p; p = strstr(p, " <- "), p += p ? 4 : 0)
		if (!strncmp(p, function, n) && strchr(" .", p[n]))
			return true;
	return false;
}

void blame(struct finding *f, const struct task *t)
{
	char name[256];
	char at[600] = "";

	out_safe(name, sizeof(name), t->st.name);
	if (*t->stack)
		snprintf(at, sizeof(at), " in %.420s", t->stack);
	else if (*t->wchan)
		snprintf(at, sizeof(at), " in %s", t->wchan);
	line(&f->blocker, "%d %s  %c%s", t->st.pid, name, t->st.state, at);
	if (t->read == -ETIMEDOUT)
		line(&f->blocker,
		     "reading its stat does not end: somebody holds its exec_update_lock, stuck in execve()");
	else if (t->read == -EAGAIN)
		line(&f->blocker,
		     "where it is could not be read: there is no process left to read it with");
	else if (!*t->stack)
		line(&f->blocker, "root would see its kernel stack");
}

const struct task *stuck_task(const struct patient *p)
{
	for (int i = 0; i < p->nr; i++)
		if (!p->tasks[i].dead &&
		    (p->tasks[i].killed || p->tasks[i].exiting))
			return &p->tasks[i];
	return NULL;
}

static const struct {
	const char *part; /* of a function's name on the stack */
	const char *helps;
} hints[] = {
	{ "fuse_",
	  "the FUSE server does not answer: restart it, or abort its connection: echo 1 >/sys/fs/fuse/connections/N/abort" },
	{ "nfs",
	  "the NFS server does not answer: bring it back, or umount -f the mount" },
	{ "rpc_",
	  "an RPC server does not answer: bring it back, or umount -f the mount" },
	{ "cifs",
	  "the SMB server does not answer: bring it back, or umount -f the mount" },
	{ "ceph", "the Ceph cluster does not answer: look at its health" },
	{ "freeze",
	  "thaw what is frozen: fsfreeze -u MOUNTPOINT, or the cgroup" },
	{ "sb_start_write", "the filesystem is frozen: fsfreeze -u MOUNTPOINT" },
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

void what_helps(struct finding *f, const struct task *t)
{
	const char *module = strchr(t->stack, '[');

	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (strstr(t->stack, hints[i].part) ||
		    strstr(t->wchan, hints[i].part)) {
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
