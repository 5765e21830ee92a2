// SPDX-License-Identifier: GPL-2.0
/*
 * Who pays for memory that several share: the cgroup of its owner, a thread.
 * When that ends, the kernel looks for another among its children, its brothers,
 * and everybody. What is written from outside shows who it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../scenario.h"

#define ROOT  "/sys/fs/cgroup"
#define CHUNK (4L << 20)
/* Some of it is charged in advance, by each CPU. */
#define SLACK (1L << 20)

/* A place for what CHUNKS writes need: a huge page would be in two of them. */
static int64_t order_area(const struct order *o)
{
	void *area = mmap(NULL, (size_t)o->arg[0], PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return -errno;
	madvise(area, (size_t)o->arg[0], MADV_NOHUGEPAGE);
	return (int64_t)(uintptr_t)area;
}

static char folders[3][64];

static bool removed(void *path)
{
	return !rmdir(path) || errno == ENOENT;
}

/* Those in it are being killed. */
static void remove_folder(const char *path)
{
	char copy[sizeof(folders[0])];

	snprintf(copy, sizeof(copy), "%s", path);
	await_true(removed, copy, AWAIT_MS);
}

static void make_folders(void)
{
	_cleanup_close_ int fd =
		open(ROOT "/cgroup.subtree_control", O_WRONLY | O_CLOEXEC);
	struct statfs fs;

	if (statfs(ROOT, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		skip("no cgroup v2 at " ROOT);
	if (fd < 0 || write(fd, "+memory", 7) < 0)
		skip("no memory controller for cgroup v2: %m");
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(folders[i], sizeof(folders[i]), ROOT "/undead-%d-%zu",
			 getpid(), i);
		at_end(remove_folder, folders[i]);
		if (mkdir(folders[i], 0755) < 0)
			broken("cannot make %s: %m", folders[i]);
	}
}

static void put_in(int folder, struct actor *p)
{
	_cleanup_close_ int fd = -1;
	char path[96];

	snprintf(path, sizeof(path), "%s/cgroup.procs", folders[folder]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || dprintf(fd, "%d\n", p->pid) < 0)
		broken("cannot move %s to %s: %m", p->name, path);
}

static int64_t charged(int folder)
{
	_cleanup_close_ int fd = -1;
	char path[96], text[32] = "";

	snprintf(path, sizeof(path), "%s/memory.current", folders[folder]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		skip("no %s: %m", path);
	return strtoll(text, NULL, 10);
}

/**
 * struct shared - memory that is written to, by way of @by
 * @at: the next piece of it
 */
struct shared {
	struct actor *by;
	int64_t at;
};

static void expect_pays(struct shared *m, int folder, const char *who,
			const char *why)
{
	static char some[CHUNK];
	struct iovec from = { some, sizeof(some) };
	struct iovec to = { (void *)(uintptr_t)m->at, sizeof(some) };
	int64_t before[3], more;

	for (int i = 0; i < 3; i++)
		before[i] = charged(i);
	if (process_vm_writev(m->by->pid, &from, 1, &to, 1, 0) !=
	    (ssize_t)sizeof(some))
		broken("process_vm_writev(): %m");
	m->at += CHUNK;
	for (int i = 0; i < 3; i++) {
		more = charged(i) - before[i];
		expect(i == folder ? more > CHUNK - SLACK : more < SLACK, why,
		       "%s pays; cgroup %c: %+lld kB", who, 'A' + i,
		       (long long)more / 1024);
	}
}

static void play(void)
{
	struct actor *p, *d, *e, *f;
	struct shared m;
	struct thread *t;

	make_folders();
	step("the memory of P, in cgroup A, is shared by E in B and F in C, children of T");
	p = spawn("P");
	t = thread(p, "T");
	m.at = ask(leader(p), order_area, 5 * CHUNK, 0);
	put_in(0, p);
	e = spawn_twin(t, "E", 0, 0);
	put_in(1, e);
	f = spawn_twin(t, "F", 0, 0);
	put_in(2, f);
	m.by = f;
	expect_pays(&m, 0, "P", "mm_init(): the leader is the owner");

	step("so it is by D, their brother, which ends");
	d = spawn_twin(t, "D", 0, 0);
	send_signal(d, SIGKILL);
	expect_state(leader(d), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_pays(&m, 0, "P", "mm_update_next_owner(): D is not the owner");

	step("the leader ends, which has no children: T is found");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): delayed leader");
	expect_pays(&m, 0, "P",
		    "mm_update_next_owner(): of all processes, T is the first");

	step("T ends: its first child is found");
	exit_thread(t, 5);
	reap(p);
	expect_pays(&m, 1, "E", "mm_update_next_owner(): a child of the owner");

	step("E ends: its brother is found");
	send_signal(e, SIGKILL);
	expect_death(e, SIGKILL, "do_group_exit()");
	expect_pays(&m, 2, "F",
		    "mm_update_next_owner(): a brother of the owner");
}

SCENARIO(memory_owner) = {
	.name = "memory-owner",
	.summary =
		"whose cgroup pays for shared memory when its owner ends: child, brother, anybody",
	.rows = "MM1",
	.needs = NEED_ROOT | NEED_VM,
	.play = play,
};

/* --- neither child nor brother ------------------------------------------ */

static void niece(void)
{
	struct actor *q, *p, *e, *f;
	struct shared m;

	make_folders();
	step("the memory of P, a child of Q, is shared by F in C, a child of Q, and E in B, of P");
	q = spawn("Q");
	p = spawn_by(q, "P");
	m.at = ask(leader(p), order_area, 4 * CHUNK, 0);
	put_in(0, p);
	f = spawn_twin(leader(p), "F", 0, CLONE_PARENT);
	put_in(2, f);
	e = spawn_twin(leader(p), "E", 0, 0);
	put_in(1, e);
	m.by = f;
	expect_pays(&m, 0, "P", "mm_init(): the leader is the owner");

	step("P ends: E is found, and adopted");
	exit_group(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_pays(&m, 1, "E", "mm_update_next_owner(): a child of the owner");

	step("E ends, which has no child, and no brother with that memory: F is found");
	send_signal(e, SIGKILL);
	expect_death(e, SIGKILL, "do_group_exit()");
	expect_pays(&m, 2, "F", "mm_update_next_owner(): of all processes");
}

SCENARIO(memory_owner_niece) = {
	.name = "memory-owner-niece",
	.summary =
		"the owner of shared memory ends: who else has it is found among all processes",
	.rows = "MM1",
	.needs = NEED_ROOT | NEED_VM,
	.play = niece,
};

/* --- a thread or a brother ---------------------------------------------- */

static void thread_first(void)
{
	/* "memcg: mm_update_next_owner: move for_each_thread() into try_to_set_owner()" */
	bool brother = kernel_before(6, 11);
	struct actor *q, *p, *f;
	struct shared m;

	make_folders();
	step("the memory of P, a child of Q, in A, is shared by its brother F in C");
	q = spawn("Q");
	p = spawn_by(q, "P");
	thread(p, "T");
	m.at = ask(leader(p), order_area, 2 * CHUNK, 0);
	put_in(0, p);
	f = spawn_twin(leader(p), "F", 0, CLONE_PARENT);
	put_in(2, f);
	m.by = f;
	expect_pays(&m, 0, "P", "mm_init(): the leader is the owner");

	step("the leader of P ends, its thread T lives: which of T and F is found?");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): delayed leader");
	if (brother)
		expect_pays(&m, 2, "F",
			    "mm_update_next_owner(): of brothers the leaders only");
	else
		expect_pays(&m, 0, "T",
			    "try_to_set_owner(): P is its own brother, T has it");
}

static const char *const watches[] = {
	"\"memcg: mm_update_next_owner: move for_each_thread() into try_to_set_owner()\", 6.11",
	NULL
};

SCENARIO(memory_owner_thread) = {
	.name = "memory-owner-thread",
	.summary =
		"the leader ends: its thread pays for the memory, before 6.11 a brother",
	.rows = "MM1",
	.needs = NEED_ROOT | NEED_VM,
	.watches = watches,
	.play = thread_first,
};
