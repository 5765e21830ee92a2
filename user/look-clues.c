// SPDX-License-Identifier: GPL-2.0
/* What a thread waits for: the file of its system call, its mount, a lock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "look.h"

/* Threads with mounts of their own are few. */
#define MOUNTS 4

/* System calls whose first argument is a descriptor, and that may sleep. */
static bool takes_fd(int nr)
{
	static const int with_fd[] = {
		SYS_read,           SYS_write,       SYS_close,
		SYS_fstat,          SYS_ioctl,       SYS_pread64,
		SYS_pwrite64,       SYS_readv,       SYS_writev,
		SYS_preadv,         SYS_pwritev,     SYS_preadv2,
		SYS_pwritev2,       SYS_fsync,       SYS_fdatasync,
		SYS_syncfs,         SYS_ftruncate,   SYS_fallocate,
		SYS_flock,          SYS_fcntl,       SYS_getdents,
		SYS_getdents64,     SYS_fchdir,      SYS_fchmod,
		SYS_fchown,         SYS_splice,      SYS_sendfile,
		SYS_accept,         SYS_accept4,     SYS_connect,
		SYS_recvfrom,       SYS_recvmsg,     SYS_recvmmsg,
		SYS_sendto,         SYS_sendmsg,     SYS_sendmmsg,
		SYS_epoll_wait,     SYS_epoll_pwait, SYS_lseek,
		SYS_fgetxattr,      SYS_fsetxattr,   SYS_copy_file_range,
		SYS_io_uring_enter,
	};

	for (size_t i = 0; i < ARRAY_SIZE(with_fd); i++)
		if (nr == with_fd[i])
			return true;
	return false;
}

static bool in_kernel(const struct task *t)
{
	return !t->dead && (t->st.state == 'D' || t->killed);
}

void want_clues(struct snap *s, const struct patient *p)
{
	int n = 0;

	if (p->alive)
		snap_want(s, p->pid, 0, "freeze");
	for (int i = 0; i < p->nr; i++)
		if (in_kernel(&p->tasks[i]) && n++ < MOUNTS)
			snap_want(s, p->pid, p->tasks[i].st.pid, "mountinfo");
	if (!n)
		return;
	snap_want(s, 0, 0, "log");
	snap_want(s, 0, 0, "fuse");
	snap_want(s, p->pid, 0, "cmdline");
}

void want_file(struct snap *s, pid_t pid, const struct task *t)
{
	char name[32];

	if (!takes_fd(t->syscall) || t->args[0] > 1 << 20)
		return;
	snprintf(name, sizeof(name), "fdinfo/%d", (int)t->args[0]);
	snap_want(s, pid, t->st.pid, name);
	snprintf(name, sizeof(name), "fd/%d", (int)t->args[0]);
	snap_want(s, pid, t->st.pid, name);
}

/* --- mounts ------------------------------------------------------------- */

static bool is_fuse(const char *type)
{
	return !strcmp(type, "fuse") || !strcmp(type, "fuseblk") ||
	       !strncmp(type, "fuse.", 5);
}

/* Octal escapes of the kernel's (\040) stay as they are. */
static void use_mount(const char *text, struct clue *c)
{
	unsigned int major, minor;
	const char *dash = strstr(text, " - ");

	if (sscanf(text, "%*d %*d %u:%u %*s %127s", &major, &minor, c->where) !=
		    3 ||
	    !dash || sscanf(dash, " - %31s %127s", c->type, c->source) < 1)
		return;
	/* fuse_ctl_add_conn(): its name is the device number in decimal. */
	if (is_fuse(c->type))
		c->fuse = major << 20 | minor;
}

/* "ID PARENT MAJOR:MINOR ROOT WHERE OPTIONS... - TYPE SOURCE OPTIONS" */
static void find_mount(const char *text, int id, struct clue *c)
{
	for (; text && *text; text = next_line(text))
		if (atoi(text) == id) {
			char one[4096];

			snprintf(one, sizeof(one), "%.*s",
				 (int)strcspn(text, "\n"), text);
			use_mount(one, c);
		}
}

static void look_at_file(struct snap *s, pid_t pid, struct task *t)
{
	const char *text, *mounts, *id;
	char name[32];

	if (t->syscall < 0 || !takes_fd(t->syscall) || t->args[0] > 1 << 20)
		return;
	t->clue.fd = (int)t->args[0];
	snprintf(name, sizeof(name), "fd/%d", t->clue.fd);
	if (!snap_read(s, pid, t->st.pid, name, &text))
		snprintf(t->clue.file, sizeof(t->clue.file), "%s", text);
	snprintf(name, sizeof(name), "fdinfo/%d", t->clue.fd);
	snap_read(s, pid, t->st.pid, name, &text);
	id = strstr(text, "mnt_id:");
	if (id && !snap_read(s, pid, t->st.pid, "mountinfo", &mounts))
		find_mount(mounts, atoi(id + 7), &t->clue);
}

/* --- the kernel's log --------------------------------------------------- */

static pid_t number_before(const char *line, const char *end)
{
	const char *colon = memrchr(line, ':', (size_t)(end - line));

	return colon ? atoi(colon + 1) : 0;
}

/*
 * debug_show_blocker(), commit 3cf67d61ff98 ("hung_task: show the blocker task
 * if the task is hung on mutex") and those after it:
 * "INFO: task NAME:TID ... blocked on a LOCK, likely owned by task NAME:TID ..."
 */
static void use_owner(const char *line, const char *at, struct task *t)
{
	static const char by[] = " by task ";
	const char *owner = strstr(at, by), *colon;

	if (!owner || number_before(line, at) != t->st.pid)
		return;
	owner += sizeof(by) - 1;
	colon = strrchr(owner, ':');
	if (!colon || (size_t)(colon - owner) >= sizeof(t->clue.owner))
		return;
	snprintf(t->clue.owner, sizeof(t->clue.owner), "%.*s",
		 (int)(colon - owner), owner);
	t->clue.owner_pid = atoi(colon + 1);
}

static void use_line(const char *line, struct task *t)
{
	const char *at = strstr(line, " blocked for more than ");

	line = strstr(line, "INFO: task ");
	if (!line)
		return;
	if (at && number_before(line, at) == t->st.pid)
		t->clue.hung_s = atoi(at + 23);
	at = strstr(line, " blocked on a");
	if (at)
		use_owner(line, at, t);
}

/* Only where our numbers are those of the log: kthreadd is 2 there. */
static bool numbers_of_the_log(struct snap *s)
{
	struct task t;

	return !look_at(s, 2, 0, &t) && !strcmp(t.st.name, "kthreadd");
}

static void look_at_log(struct snap *s, struct task *t)
{
	const char *text;

	if (t->st.state != 'D' || snap_read(s, 0, 0, "log", &text) || !*text ||
	    !numbers_of_the_log(s))
		return;
	for (; text && *text; text = next_line(text)) {
		char one[512];

		snprintf(one, sizeof(one), "%.*s", (int)strcspn(text, "\n"),
			 text);
		use_line(one, t);
	}
}

/* --- all of it ---------------------------------------------------------- */

static bool has_number(const char *list, unsigned int number)
{
	for (; *list; list += strcspn(list, " "), list += *list == ' ')
		if ((unsigned int)atoi(list) == number)
			return true;
	return false;
}

static void add_number(char *list, size_t size, unsigned int number)
{
	size_t n = strlen(list);

	if (n + 12 < size && !has_number(list, number))
		snprintf(list + n, size - n, "%s%u", n ? " " : "", number);
}

/* Connections with requests that wait, where fusectl is mounted and we may. */
static void waiting_fuse(struct snap *s, struct patient *p)
{
	const char *text;

	snap_read(s, 0, 0, "fuse", &text);
	for (; text && *text; text = next_line(text)) {
		unsigned int number, waiting;

		if (sscanf(text, "%u %u", &number, &waiting) == 2 && waiting)
			add_number(p->fuse, sizeof(p->fuse), number);
	}
}

/* Else all that it sees mounted. */
static void mounted_fuse(const char *text, struct patient *p)
{
	for (; text && *text; text = next_line(text)) {
		struct clue c = { 0 };
		char one[4096];

		snprintf(one, sizeof(one), "%.*s", (int)strcspn(text, "\n"),
			 text);
		use_mount(one, &c);
		if (c.fuse)
			add_number(p->fuse, sizeof(p->fuse), c.fuse);
	}
}

static void look_at_fuse(struct snap *s, struct patient *p)
{
	const char *text;

	waiting_fuse(s, p);
	for (int i = 0; i < p->nr && !*p->fuse; i++) {
		snap_read(s, p->pid, p->tasks[i].st.pid, "mountinfo", &text);
		mounted_fuse(text, p);
	}
}

/* A frozen task sleeps in its signal handling (v2), or refrigerator (v1). */
static void look_for_ice(struct snap *s, struct patient *p)
{
	const char *text;

	if (!snap_read(s, p->pid, 0, "freeze", &text))
		snprintf(p->freeze, sizeof(p->freeze), "%s", text);
	for (int i = 0; i < p->nr && !*p->freeze; i++)
		if (in_freezer(&p->tasks[i]))
			snprintf(p->freeze, sizeof(p->freeze), "?");
}

void look_for_clues(struct snap *s, struct patient *p)
{
	const char *text;

	for (int i = 0; i < p->nr; i++) {
		if (p->tasks[i].dead)
			continue;
		look_at_file(s, p->pid, &p->tasks[i]);
		look_at_log(s, &p->tasks[i]);
	}
	look_at_fuse(s, p);
	look_for_ice(s, p);
	p->mm_locked = snap_read(s, p->pid, 0, "cmdline", &text) == -ETIMEDOUT;
}
