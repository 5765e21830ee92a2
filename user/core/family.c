// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "family.h"
#include "proc.h"
#include "util.h"

#define FIRST_ROOM 4096

/* proc_status() is ten times the price. Newlines in Name are escaped. */
static int look_at(pid_t pid, struct relative *r)
{
	char text[1024];
	const char *state, *parent;
	ssize_t n = proc_read(pid, 0, "status", text, sizeof(text));

	if (n < 0)
		return (int)n;
	state = strstr(text, "\nState:\t");
	parent = strstr(text, "\nPPid:\t");
	if (!state || !parent)
		return -ESRCH;
	*r = (struct relative){
		.pid = pid,
		.ppid = atoi(parent + 7),
		.dead = state[8] == 'Z' || state[8] == 'X',
	};
	return 0;
}

static int make_room(struct family *f)
{
	size_t room = f->room ? f->room * 2 : FIRST_ROOM;
	void *p;

	if (f->nr < f->room)
		return 0;
	p = f->room ? mremap(f->all, f->room * sizeof(*f->all),
			     room * sizeof(*f->all), MREMAP_MAYMOVE) :
		      mmap(NULL, room * sizeof(*f->all), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	f->all = p;
	f->room = room;
	return 0;
}

static int add_all_in(struct family *f, const char *buf, ssize_t n)
{
	for (ssize_t at = 0; at < n;) {
		const struct dirent64 *e = (const void *)(buf + at);
		uint64_t pid;

		at += e->d_reclen;
		if (parse_number(e->d_name, INT32_MAX, &pid))
			continue;
		if (make_room(f))
			return -ENOMEM;
		if (!look_at((pid_t)pid, &f->all[f->nr]))
			f->nr++;
	}
	return 0;
}

/* /proc gives them by rising pid: next_tgid(). */
static int look_at_all(struct family *f)
{
	_cleanup_close_ int dir =
		open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(struct dirent64) char buf[16384];
	ssize_t n;
	int err = 0;

	f->nr = 0;
	if (dir < 0)
		return -errno;
	if (!proc_is_ours())
		return -EXDEV;
	while (!err && (n = getdents64(dir, buf, sizeof(buf))) > 0)
		err = add_all_in(f, buf, n);
	if (!err && !f->nr)
		return -ENOENT;
	return err;
}

static const struct relative *find(const struct family *f, pid_t pid)
{
	size_t lo = 0, hi = f->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->all[mid].pid < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < f->nr && f->all[lo].pid == pid ? &f->all[lo] : NULL;
}

static bool below(const struct family *f, pid_t root, pid_t parent)
{
	const struct relative *r;

	if (parent == root)
		return true;
	r = find(f, parent);
	return r && r->member;
}

int family_look(struct family *f, pid_t root)
{
	int members = 0, before, err = look_at_all(f);

	if (err)
		return err;
	/* Once, unless pids have wrapped around between parent and child. */
	do {
		before = members;
		for (size_t i = 0; i < f->nr; i++) {
			struct relative *r = &f->all[i];

			if (r->member || r->pid == root ||
			    !below(f, root, r->ppid))
				continue;
			r->member = true;
			members++;
		}
	} while (members != before);
	return members;
}

int family_signal(const struct family *f, pid_t root, const struct relative *r,
		  int sig)
{
	_cleanup_close_ int fd = pidfd_of(r->pid, 0);
	struct relative now;
	int err;

	if (fd < 0)
		return fd;
	err = look_at(r->pid, &now);
	if (err)
		return err;
	/* Should the pid be another's by now, then that of @fd is dead. */
	if (!below(f, root, now.ppid))
		return -ESRCH;
	return syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) ? -errno : 0;
}

void family_free(struct family *f)
{
	if (f->room)
		munmap(f->all, f->room * sizeof(*f->all));
	*f = (struct family){ 0 };
}
