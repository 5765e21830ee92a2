// SPDX-License-Identifier: GPL-2.0
/*
 * Which files of /proc/PID block for whom they are asked, while a thread of that
 * process is held. docs/proc-files.md is made from what this says
 * (scripts/proc-table.sh).
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/actor.h"
#include "../core/await.h"
#include "../core/dev.h"
#include "../core/proc.h"
#include "../scenario.h"

/**
 * struct file - one file of /proc/PID
 * @how: 'r' read, 'm' read at an address, 'l' link, 'd' folder
 */
struct file {
	const char *name;
	char how;
};

static const struct file files[] = {
	{ "cmdline", 'r' },   { "environ", 'r' },      { "maps", 'r' },
	{ "smaps", 'r' },     { "smaps_rollup", 'r' }, { "numa_maps", 'r' },
	{ "mem", 'm' },       { "pagemap", 'r' },      { "map_files", 'd' },
	{ "exe", 'l' },       { "fd", 'd' },           { "fd/0", 'l' },
	{ "cwd", 'l' },       { "stat", 'r' },         { "wchan", 'r' },
	{ "stack", 'r' },     { "syscall", 'r' },      { "io", 'r' },
	{ "auxv", 'r' },      { "personality", 'r' },  { "status", 'r' },
	{ "comm", 'r' },      { "statm", 'r' },        { "task", 'd' },
	{ "fdinfo", 'd' },    { "fdinfo/0", 'r' },     { "limits", 'r' },
	{ "cgroup", 'r' },    { "sched", 'r' },        { "oom_score", 'r' },
	{ "mountinfo", 'r' },
};

#define FILES   ((int)ARRAY_SIZE(files))
#define READERS (ACTOR_THREADS - 1)

/* Those of the address space, and those a process in exec may hold up. */
#define MM_FILES 9

_Static_assert(ARRAY_SIZE(files) <= 2 * READERS + 1, "room for the readers");
_Static_assert(ARRAY_SIZE(files) < 64, "a set of files is a mask");

static uint64_t bit(const char *name)
{
	for (int i = 0; i < FILES; i++)
		if (!strcmp(files[i].name, name))
			return 1ULL << i;
	broken("no such file: %s", name);
}

/* --- readers ------------------------------------------------------------ */

/* Something every program of ours has at the same address. */
static const char somewhere = 'x';

static int64_t look_into(const char *path)
{
	DIR *dir = opendir(path);

	if (!dir)
		return -errno;
	while (readdir(dir))
		;
	closedir(dir);
	return 0;
}

/* File arg[0] of process arg[1]; a read that fails has not blocked either. */
static int64_t order_look(const struct order *o)
{
	const struct file *f = &files[o->arg[0]];
	_cleanup_close_ int fd = -1;
	char path[64], buf[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)o->arg[1], f->name);
	if (f->how == 'd')
		return look_into(path);
	if (f->how == 'l')
		return readlink(path, buf, sizeof(buf)) < 0 ? -errno : 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return pread(fd, buf, sizeof(buf),
		     f->how == 'm' ? (off_t)(uintptr_t)&somewhere : 0) < 0 ?
		       -errno :
		       0;
}

/* One for each file, so that none waits for another. */
static struct thread *readers[64];

static void hire_readers(void)
{
	struct actor *r = NULL;

	for (int i = 0; i < FILES; i++) {
		if (!r || r->nr == ACTOR_THREADS)
			r = spawn("READER");
		readers[i] = thread(r, files[i].name);
	}
}

static bool blocked(struct thread *t)
{
	struct proc_status st;
	int nr;

	if (await_readable(t->cmd, 0) ||
	    proc_status(t->actor->pid, t->tid, &st) ||
	    (st.state != 'S' && st.state != 'D'))
		return false;
	nr = proc_syscall(t->actor->pid, t->tid);
	return nr >= 0 && nr != SYS_recvmsg;
}

static bool blocked_or_done(void *t)
{
	return await_readable(((struct thread *)t)->cmd, 0) || blocked(t);
}

/* Who is blocked when all have been looked at is not so in passing. */
static uint64_t look_at(struct actor *p)
{
	uint64_t mask = 0;

	for (int i = 0; i < FILES; i++)
		tell(readers[i], order_look, i, p->pid);
	for (int i = 0; i < FILES; i++)
		if (!await_true(blocked_or_done, readers[i], AWAIT_MS))
			broken("the reader of %s neither reads nor sleeps",
			       files[i].name);
	for (int i = 0; i < FILES; i++)
		if (blocked(readers[i]))
			mask |= 1ULL << i;
	return mask;
}

static void expect_all_read(void)
{
	int64_t result;
	int n = 0;

	for (int i = 0; i < FILES; i++)
		n += !thread_result(readers[i], AWAIT_MS, &result);
	expect_equal(n, FILES, "files read in the end",
		     "up_read(), up_write(): nobody has the lock any more");
}

struct names {
	char text[512];
};

static struct names names_of(uint64_t mask)
{
	struct names n = { "" };
	size_t at = 0;

	for (int i = 0; i < FILES; i++)
		if (mask >> i & 1)
			at += (size_t)snprintf(n.text + at, sizeof(n.text) - at,
					       " %s", files[i].name);
	if (!at)
		strcpy(n.text, " nothing");
	return n;
}

/* --- scenes ------------------------------------------------------------- */

static int64_t order_touch(const struct order *o)
{
	return *(volatile char *)(uintptr_t)o->arg[0];
}

static int64_t order_replace(const struct order *o)
{
	void *page = (void *)(uintptr_t)o->arg[0];

	return mmap(page, (size_t)sysconf(_SC_PAGESIZE), PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		    0) == MAP_FAILED ?
		       -errno :
		       0;
}

static int64_t order_mmap(const struct order *o)
{
	(void)o;
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED ?
		       -errno :
		       0;
}

static int gate_at(unsigned int point)
{
	return gate_of(1U << point, UNDEAD_KIND_UNINTERRUPTIBLE);
}

/**
 * struct scene - P, held
 * @p: with the thread T
 * @gate: held there
 */
struct scene {
	struct actor *p;
	struct thread *t;
	int gate;
};

static struct scene scene(int gate_fd)
{
	struct scene s = { .p = spawn("P"), .gate = gate_fd };

	s.t = thread(s.p, "T");
	return s;
}

static struct scene in_read(void)
{
	struct scene s = scene(gate());

	hold_read(s.t, s.gate);
	return s;
}

static struct scene in_fault(void)
{
	struct scene s = scene(gate_at(UNDEAD_POINT_FAULT));

	tell(s.t, order_touch, map_gate(s.t, s.gate), 0);
	await_held(s.t, s.gate, 1);
	return s;
}

static struct scene in_fault_with_writer(void)
{
	struct scene s = in_fault();
	struct thread *u = leader(s.p);

	tell(u, order_mmap, 0, 0);
	expect_asleep_in(u, "mmap", "mmap_write_lock_killable(): T reads");
	return s;
}

static struct scene in_replace(void)
{
	struct scene s = scene(gate_at(UNDEAD_POINT_VMA_CLOSE));

	tell(s.t, order_replace, map_gate(s.t, s.gate), 0);
	await_held(s.t, s.gate, 1);
	return s;
}

static struct scene in_exit(void)
{
	struct scene s = { .p = spawn("P"),
			   .gate = gate_at(UNDEAD_POINT_VMA_CLOSE) };

	s.t = leader(s.p);
	arm_exit(s.t, s.gate, IN_MMAP);
	exit_group(s.t, 7);
	await_held(s.t, s.gate, 1);
	return s;
}

static struct scene in_delayed(void)
{
	struct scene s = in_read();

	send_signal(s.p, SIGKILL);
	expect_state(leader(s.p), 'Z', "exit_notify(): delayed leader");
	return s;
}

static struct scene in_de_thread(void)
{
	struct scene s = in_read();

	tell(leader(s.p), order_exec, 0, 0);
	expect_asleep_in(leader(s.p), "begin_new_exec", "de_thread()");
	return s;
}

static struct scene in_exec(enum exit_point where, int gate_fd)
{
	struct scene s = { .p = spawn("P"), .gate = gate_fd };

	s.t = leader(s.p);
	arm_exit(s.t, s.gate, where);
	tell(s.t, order_exec, 0, 0);
	await_held(s.t, s.gate, 1);
	return s;
}

static struct scene in_exec_flush(void)
{
	return in_exec(IN_FILES, gate());
}

static struct scene in_exec_mmap(void)
{
	return in_exec(IN_MMAP, gate_at(UNDEAD_POINT_VMA_CLOSE));
}

/* --- what blocks -------------------------------------------------------- */

static uint64_t mm_files(void)
{
	return (1ULL << MM_FILES) - 1;
}

/*
 * 6772c457a865 ("fs/proc/task_mmu: execute PROCMAP_QUERY ioctl under per-vma
 * locks") and its neighbours, 6.17 and later: these look at one mapping at a
 * time and need no mmap_lock.
 */
static uint64_t wanted_behind_writer(void)
{
	if (kernel_before(6, 17))
		return mm_files();
	return mm_files() & ~(bit("maps") | bit("smaps") | bit("numa_maps"));
}

static uint64_t nothing(void)
{
	return 0;
}

/* What takes exec_update_lock on every kernel on which exec has it meanwhile. */
static uint64_t wanted_in_exec(void)
{
	static const char *const more[] = { "stack", "syscall", "io", "auxv",
					    "personality" };
	uint64_t mask = mm_files() & ~(bit("cmdline") | bit("map_files"));

	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		mask |= bit(more[i]);
	return mask;
}

/* Files are closed before exec_mmap() takes it: 6.12, not 6.1. */
static uint64_t wanted_in_exec_flush(void)
{
	return kernel_before(6, 12) ? wanted_in_exec() : 0;
}

/* The old memory goes when it is let go, in setup_new_exec(): 7.2, not 6.12. */
static uint64_t wanted_in_exec_mmap(void)
{
	static const char *const more[] = { "map_files", "exe",  "fd/0",
					    "cwd",       "stat", "wchan" };
	uint64_t mask = wanted_in_exec();

	if (!kernel_before(7, 0))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(more) && !kernel_before(6, 12); i++)
		mask |= bit(more[i]);
	return mask;
}

static const struct {
	const char *what;
	struct scene (*set)(void);
	uint64_t (*wanted)(void);
} scenes[] = {
	{ "held in read()", in_read, nothing },
	{ "held in a page fault", in_fault, nothing },
	{ "held in a page fault, and a sibling waits in mmap()",
	  in_fault_with_writer, wanted_behind_writer },
	{ "a mapping is replaced by mmap(MAP_FIXED)", in_replace,
	  wanted_behind_writer },
	{ "a mapping ends in exit", in_exit, nothing },
	{ "a delayed leader", in_delayed, nothing },
	{ "exec waits for a thread", in_de_thread, nothing },
	{ "a file is closed in exec", in_exec_flush, wanted_in_exec_flush },
	{ "a mapping ends in exec", in_exec_mmap, wanted_in_exec_mmap },
};

static void play(void)
{
	hire_readers();
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		uint64_t seen, wanted = scenes[i].wanted();
		struct scene s;

		step("%s", scenes[i].what);
		s = scenes[i].set();
		seen = look_at(s.p);
		note("blocked:%s", names_of(seen).text);
		expect_equal(release(s.gate), 1, "threads released",
			     "the gate held it");
		expect_all_read();
		/* Not before: the evidence of a failure is read from them. */
		expect(seen == wanted, "who has mmap_lock or exec_update_lock",
		       "too many:%s; too few:%s", names_of(seen & ~wanted).text,
		       names_of(wanted & ~seen).text);
		kill(s.p->pid, SIGKILL);
		reap(s.p);
	}
}

SCENARIO(proc_files) = {
	.name = "proc-files",
	.summary =
		"which files of /proc/PID block while a thread of it is held, in nine scenes",
	.rows = "PR1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = play,
};
