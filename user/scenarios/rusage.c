// SPDX-License-Identifier: GPL-2.0
/*
 * What a parent is charged for its dead: RUSAGE_CHILDREN, and the rusage of
 * wait4(), which are two things. Looked at by memory, which a test can decide;
 * times go the same way.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

#define MB 1024L /* ru_maxrss is in kB */

static int64_t order_children_maxrss(const struct order *o)
{
	struct rusage u;

	(void)o;
	return getrusage(RUSAGE_CHILDREN, &u) ? -errno : u.ru_maxrss;
}

static int64_t order_wait4_maxrss(const struct order *o)
{
	struct rusage u = { 0 };
	int status;

	return wait4((pid_t)o->arg[0], &status, 0, &u) < 0 ? -errno :
							     u.ru_maxrss;
}

static int64_t children_maxrss(struct actor *r)
{
	return ask(leader(r), order_children_maxrss, 0, 0);
}

static void expect_between(int64_t seen, int64_t from, int64_t to,
			   const char *what, const char *why)
{
	expect(seen >= from && seen < to, why,
	       "%s: %lld kB (expected %lld to %lld)", what, (long long)seen,
	       (long long)from, (long long)to);
}

static struct actor *child_that_took(struct actor *r, int mb)
{
	struct actor *c = spawn_by(r, "C");

	if (ask(leader(c), order_use_memory, mb << 20, 0))
		broken("C cannot take %d MiB", mb);
	return c;
}

static void play(void)
{
	struct actor *r, *c, *g;

	step("C takes 40 MiB and ends; R has not waited");
	r = spawn("R");
	c = child_that_took(r, 40);
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_between(children_maxrss(r), 0, 20 * MB, "RUSAGE_CHILDREN of R",
		       "wait_task_zombie() has not run");

	step("R waits: both figures are there");
	expect_between(ask(leader(r), order_wait4_maxrss, c->pid, 0), 40 * MB,
		       60 * MB, "rusage of wait4()",
		       "do_exit(): maxrss is kept when the last thread goes");
	expect_between(children_maxrss(r), 40 * MB, 60 * MB,
		       "RUSAGE_CHILDREN of R",
		       "wait_task_zombie(): cmaxrss is the greatest so far");

	step("a grandchild G takes 80 MiB: it counts when C, who waited, is reaped");
	c = spawn_by(r, "C");
	g = child_that_took(c, 80);
	exit_group(leader(g), 5);
	ask(leader(c), order_wait, g->pid, WEXITED);
	expect_between(children_maxrss(r), 40 * MB, 60 * MB,
		       "RUSAGE_CHILDREN of R", "C is not reaped yet");
	exit_group(leader(c), 7);
	ask(leader(r), order_wait, c->pid, WEXITED);
	expect_between(children_maxrss(r), 80 * MB, 100 * MB,
		       "RUSAGE_CHILDREN of R",
		       "wait_task_zombie(): max of maxrss and cmaxrss of C");

	step("a child that took little is reaped: the greatest figure stays");
	c = spawn_by(r, "C");
	exit_group(leader(c), 7);
	ask(leader(r), order_wait, c->pid, WEXITED);
	expect_between(children_maxrss(r), 80 * MB, 100 * MB,
		       "RUSAGE_CHILDREN of R",
		       "wait_task_zombie(): cmaxrss is the greatest so far");

	step("a child that is reaped on the spot is not charged");
	r = spawn("R");
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	c = child_that_took(r, 40);
	exit_group(leader(c), 7);
	expect_gone(leader(c), "do_notify_parent(): SIG_IGN is autoreap");
	expect_between(children_maxrss(r), 0, 20 * MB, "RUSAGE_CHILDREN of R",
		       "release_task() without wait_task_zombie()");

	step("the leader ends first, T takes 40 MiB and ends: it counts");
	r = spawn("R");
	c = spawn_by(r, "C");
	struct thread *t = thread(c, "T");

	exit_thread(leader(c), 3);
	expect_state(leader(c), 'Z', "exit_notify(): delayed leader");
	if (ask(t, order_use_memory, 40L << 20, 0))
		broken("T cannot take 40 MiB");
	exit_thread(t, 5);
	expect_between(ask(leader(r), order_wait4_maxrss, c->pid, 0), 40 * MB,
		       60 * MB, "rusage of wait4()",
		       "do_exit(): group_dead is the last thread, not the leader");
}

SCENARIO(rusage) = {
	.name = "rusage",
	.summary =
		"memory of the dead: wait4() and RUSAGE_CHILDREN, grandchildren, autoreap",
	.rows = "WZ6 DE3 A32",
	.play = play,
};

/* --- all figures -------------------------------------------------------- */

#define THREADS 4
#define PAGES   100
#define CHUNK   (256 << 10)

/* The figures of a struct rusage that anybody counts. */
enum figure {
	CPU_US,
	MINFLT,
	MAJFLT,
	NVCSW,
	NIVCSW,
	INBLOCK,
	OUBLOCK,
	FIGURES
};

static const char *const figure_names[] = {
	"CPU time, us",       "minor faults",         "major faults",
	"voluntary switches", "involuntary switches", "blocks in",
	"blocks out",
};

static int64_t figure_of(const struct rusage *u, enum figure f)
{
	const int64_t all[] = {
		(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000 +
			u->ru_utime.tv_usec + u->ru_stime.tv_usec,
		u->ru_minflt,
		u->ru_majflt,
		u->ru_nvcsw,
		u->ru_nivcsw,
		u->ru_inblock,
		u->ru_oublock,
	};

	return all[f];
}

/* arg[0]: RUSAGE_*, arg[1]: the figure */
static int64_t order_getrusage(const struct order *o)
{
	struct rusage u;

	if (getrusage((int)o->arg[0], &u) < 0)
		return -errno;
	return figure_of(&u, (enum figure)o->arg[1]);
}

/* In the process that waited. */
static struct rusage waited;

static int64_t order_wait4(const struct order *o)
{
	return wait4((pid_t)o->arg[0], NULL, 0, &waited) < 0 ? -errno : 0;
}

static int64_t order_waited(const struct order *o)
{
	return figure_of(&waited, (enum figure)o->arg[0]);
}

/* What a process and its dead have read, by /proc/PID/io; -1: not told. */
static long long chars_read(struct actor *p)
{
	char text[256] = "";
	long long n = -1;

	proc_read(p->pid, 0, "io", text, sizeof(text));
	sscanf(text, "rchar: %lld", &n);
	return n;
}

static int read_much(void)
{
	static char buf[CHUNK];
	_cleanup_close_ int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	return read(fd, buf, sizeof(buf)) == sizeof(buf) ? 0 : -EIO;
}

#define LAST_SWITCHES 3

#define HOLES  (16 << 20)
#define STRIDE (1 << 20)

/*
 * A file of a ramfs, nothing but holes: who reads a page of it first has a major
 * fault. In a mount namespace of our own, so that nothing is left of it.
 */
#define FILE_OF_HOLES "/tmp/holes"

static int64_t order_holes(const struct order *o)
{
	_cleanup_close_ int fd = -1;

	(void)o;
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/tmp", "ramfs", 0, NULL) < 0)
		return -errno;
	fd = open(FILE_OF_HOLES, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 || ftruncate(fd, HOLES) < 0 ? -errno : 0;
}

static int read_hole(off_t n)
{
	_cleanup_close_ int fd = open(FILE_OF_HOLES, O_RDONLY | O_CLOEXEC);
	volatile char *p = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ,
				MAP_SHARED, fd, n * STRIDE);

	return p == MAP_FAILED ? -errno : *p;
}

/* Page faults, one of them major, a millisecond of CPU, and a read. */
static int64_t order_work(const struct order *o)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct rusage u;

	if (p == MAP_FAILED || (o->arg[0] && read_hole(o->arg[1])))
		return -EFAULT;
	for (size_t i = 0; i < PAGES; i++)
		p[i * page] = 1;
	do
		getrusage(RUSAGE_THREAD, &u);
	while (figure_of(&u, CPU_US) < 1000);
	return read_much();
}

/*
 * What a thread has used is added to @sum; it may use more until it ends. Each
 * has a hole of its own.
 */
static void work(struct thread *t, bool holes, int64_t *sum)
{
	static int64_t hole;

	if (ask(t, order_work, holes, hole++))
		broken("%s cannot work", t->name);
	for (int f = 0; f < FIGURES; f++)
		sum[f] += ask(t, order_getrusage, RUSAGE_THREAD, f);
}

/* arg[0] times: no figure of RUSAGE_CHILDREN ever falls. */
static int64_t order_look(const struct order *o)
{
	struct rusage u = { 0 }, last = { 0 };

	for (int64_t i = 0; i < o->arg[0]; i++) {
		if (getrusage(RUSAGE_CHILDREN, &u) < 0)
			return -errno;
		for (int f = 0; f < FIGURES; f++)
			if (figure_of(&u, f) < figure_of(&last, f))
				return -ERANGE;
		last = u;
	}
	return 0;
}

#define ROUNDING_US 1000

/*
 * User and system time are scaled, each time anew. The zombie may be on its way
 * to its last schedule(), and wait4() reads it after it has charged it.
 */
static bool is_charged(int f, int64_t by_wait4, int64_t charged)
{
	if (f == CPU_US)
		return llabs(charged - by_wait4) <= ROUNDING_US;
	if (f == NVCSW || f == NIVCSW)
		return charged <= by_wait4 &&
		       by_wait4 - charged <= LAST_SWITCHES;
	return charged == by_wait4;
}

static void expect_figures(struct thread *r, const int64_t *sum)
{
	int64_t looked;

	for (int f = 0; f < FIGURES; f++) {
		int64_t w = ask(r, order_waited, f, 0);

		/* The CPU goes on counting; of the others there is no more. */
		expect(w >= sum[f] && (f == CPU_US || w <= sum[f] * 2 + 1000),
		       "getrusage(RUSAGE_BOTH): C, its dead threads, its reaped child",
		       "%s: %lld by wait4(), %lld or a little more expected",
		       figure_names[f], (long long)w, (long long)sum[f]);
		looked = ask(r, order_getrusage, RUSAGE_CHILDREN, f);
		expect(is_charged(f, w, looked),
		       "wait_task_zombie(): charged to the parent, once",
		       "%s: %lld by RUSAGE_CHILDREN (expected %lld)",
		       figure_names[f], (long long)looked, (long long)w);
	}
}

/* CHUNK by each of THREADS, by the child and by the leader. */
static void expect_io(struct actor *r, long long before)
{
	long long wanted = (THREADS + 2) * (long long)CHUNK;
	long long read = chars_read(r) - before;

	if (before < 0) {
		note("this kernel has no /proc/PID/io");
		return;
	}
	expect(read >= wanted && read < wanted + CHUNK / 2,
	       "wait_task_zombie(): task_io_accounting_add()",
	       "read by R's children, as its rchar says: %lld (expected %lld or a little more)",
	       read, wanted);
}

static void figures(void)
{
	int64_t sum[FIGURES] = { 0 }, looked, err;
	struct thread *t, *look;
	struct actor *r, *c, *g;
	long long before;

	step("%d threads of C work and end, a child G of C, and its leader",
	     THREADS);
	r = spawn("R");
	look = thread(r, "LOOK");
	c = spawn_by(r, "C");
	err = ask(leader(c), order_holes, 0, 0);
	if (err)
		note("no major faults: %s", strerror((int)-err));
	for (int i = 0; i < THREADS; i++) {
		t = thread(c, "T");
		work(t, !err, sum);
		exit_thread(t, 5);
		expect_gone(t,
			    "release_task(): adds its counts to the signal's");
	}
	g = spawn_by(c, "G");
	work(leader(g), !err, sum);
	exit_group(leader(g), 3);
	expect_wait(leader(c), g->pid, WEXITED, WAITED(g->pid, CLD_EXITED, 3),
		    "wait_task_zombie(): C is charged for G");
	work(leader(c), !err, sum);
	exit_group(leader(c), 7);

	step("R waits for C, while another thread of it looks at the figures");
	before = chars_read(r);
	tell(look, order_look, 300, 0);
	ask(leader(r), order_wait4, c->pid, 0);
	expect(!thread_result(look, AWAIT_MS, &looked) && !looked,
	       "commit f7ec1cd5cc7e (\"getrusage: use sig->stats_lock rather than lock_task_sighand()\")",
	       "RUSAGE_CHILDREN of R has answered all the while, and never fell");
	expect_figures(leader(r), sum);
	expect_io(r, before);
}

static const char *const figure_watches[] = {
	"f7ec1cd5cc7e (\"getrusage: use sig->stats_lock rather than lock_task_sighand()\")",
	NULL
};

SCENARIO(rusage_figures) = {
	.name = "rusage-figures",
	.summary =
		"what a process, its dead threads and its reaped child used: all is in wait4()",
	.watches = figure_watches,
	.rows = "WZ6.1 A31",
	.play = figures,
};
