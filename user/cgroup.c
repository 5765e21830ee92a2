// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cgroup.h"
#include "core/await.h"

/* Those in it are being killed. */
static void remove_folder(const char *folder)
{
	char copy[128];

	snprintf(copy, sizeof(copy), "%s", folder);
	cgroup_write(copy, "cgroup.freeze", "0");
	await_true(cgroup_removed, copy, AWAIT_MS);
}

bool cgroup_removed(void *folder)
{
	return !rmdir(folder) || errno == ENOENT;
}

/* Where systemd mounts it, alone or beside those of v1. */
static const char *root(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup",
					     "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (!statfs(roots[i], &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
			return roots[i];
	skip("no cgroup v2 at %s", roots[0]);
}

const char *cgroup_make(const char *name)
{
	char *folder;

	if (asprintf(&folder, "%s/undead-%d%s", root(), getpid(), name) < 0)
		broken("no memory for a name");
	at_end(remove_folder, folder);
	if (mkdir(folder, 0755) < 0)
		broken("cannot make %s: %m", folder);
	return folder;
}

static int open_in(const char *folder, const char *file, int flags)
{
	char path[192];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cgroup_write(const char *folder, const char *file, const char *text)
{
	_cleanup_close_ int fd = open_in(folder, file, O_WRONLY);

	if (fd < 0)
		return fd;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int cgroup_read(const char *folder, const char *file, char *text, size_t size)
{
	_cleanup_close_ int fd = open_in(folder, file, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	return fd < 0 ? fd : n < 0 ? -errno : 0;
}

void cgroup_enable(const char *controller)
{
	char text[32];
	int err;

	snprintf(text, sizeof(text), "+%s", controller);
	err = cgroup_write(root(), "cgroup.subtree_control", text);
	if (err)
		skip("no controller %s for cgroups (v2): %s", controller,
		     strerror(-err));
}

bool cgroup_has(const char *folder, const char *file, const char *line)
{
	size_t n = strlen(line);
	char text[1024];
	int err = cgroup_read(folder, file, text, sizeof(text));

	if (err)
		broken("cannot read %s/%s: %s", folder, file, strerror(-err));
	for (char *at = text; *at; at += strcspn(at, "\n") + 1)
		if (!strncmp(at, line, n) && at[n] == '\n')
			return true;
	return false;
}

void cgroup_put(const char *folder, struct actor *p)
{
	char pid[16];
	int err;

	snprintf(pid, sizeof(pid), "%d", p->pid);
	err = cgroup_write(folder, "cgroup.procs", pid);
	if (err)
		broken("cannot move %s to the cgroup: %s", p->name,
		       strerror(-err));
}

static void expect_line(const char *folder, const char *file, int number,
			const char *name, bool wanted, const char *why)
{
	char line[16];
	bool seen;

	snprintf(line, sizeof(line), "%d", number);
	seen = cgroup_has(folder, file, line);
	expect(seen == wanted, why, "%s %d in %s: %s (expected %s)", name,
	       number, file, seen ? "yes" : "no", wanted ? "yes" : "no");
}

void expect_listed(const char *folder, struct actor *p, bool wanted,
		   const char *why)
{
	expect_line(folder, "cgroup.procs", p->pid, p->name, wanted, why);
}

void expect_thread_listed(const char *folder, struct thread *t, bool wanted,
			  const char *why)
{
	expect_line(folder, "cgroup.threads", t->tid, t->name, wanted, why);
}

void expect_populated(const char *folder, bool wanted, const char *why)
{
	expect(cgroup_has(folder, "cgroup.events",
			  wanted ? "populated 1" : "populated 0"),
	       why, "cgroup.events: populated %d", wanted);
}

void expect_pids(const char *folder, int wanted, const char *why)
{
	char text[32];

	if (cgroup_read(folder, "pids.current", text, sizeof(text)))
		note("the controller pids is not there");
	else
		expect_equal(atoi(text), wanted, "pids.current", why);
}

static int64_t order_rmdir(const struct order *o)
{
	return rmdir((const char *)o->arg[0]) ? errno : 0;
}

void expect_rmdir(const char *folder, int wanted, const char *why)
{
	struct thread *r = leader(spawn("rmdir"));
	int64_t seen = 0;
	int err;

	/* A fork of ours: the name is at the same place. */
	tell(r, order_rmdir, (int64_t)folder, 0);
	err = thread_result(r, AWAIT_MS, &seen);
	if (err)
		expect(false, why, "rmdir() of the cgroup does not return");
	else
		expect(seen == wanted, why,
		       "rmdir() of the cgroup: %s (expected %s)",
		       seen ? strerror((int)seen) : "done",
		       wanted ? strerror(wanted) : "done");
	exit_group(r, 0);
	reap(r->actor);
}
