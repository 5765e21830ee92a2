// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc.h"
#include "util.h"

static void task_path(char *path, size_t size, pid_t pid, pid_t tid,
		      const char *file)
{
	if (tid)
		snprintf(path, size, "/proc/%d/task/%d/%s", pid, tid, file);
	else
		snprintf(path, size, "/proc/%d/%s", pid, file);
}

ssize_t proc_read(pid_t pid, pid_t tid, const char *file, char *buf,
		  size_t size)
{
	_cleanup_close_ int fd = -1;
	ssize_t n;
	char path[96];

	task_path(path, sizeof(path), pid, tid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read_fd(fd, buf, size - 1);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

/* Up to a character of @end. sscanf() would be dear here. */
static void copy(char *to, size_t size, const char *text, size_t n)
{
	n = n < size ? n : size - 1;
	memcpy(to, text, n);
	to[n] = '\0';
}

/* The second of four. */
static uid_t effective(const char *line)
{
	char *end;

	strtoul(line, &end, 10);
	return (uid_t)strtoul(end, NULL, 10);
}

/* "Key:\tvalue" of one line; the kernel escapes newlines in Name. */
static void status_line(const char *line, struct proc_status *st)
{
	unsigned long long mask;
	char key[32];
	size_t n;

	/* A third of the lines; the rest costs a walk over everybody dearly. */
	if (!strchr("NSTPUCVv", *line))
		return;
	n = strcspn(line, ":\n");
	if (line[n] != ':' || n >= sizeof(key))
		return;
	memcpy(key, line, n);
	key[n] = '\0';
	line += n + 1;
	line += strspn(line, " \t");
	mask = *key == 'S' ? strtoull(line, NULL, 16) : 0;
	if (!strcmp(key, "Name"))
		copy(st->name, sizeof(st->name), line, strcspn(line, "\n"));
	else if (!strcmp(key, "State"))
		st->state = *line;
	else if (!strcmp(key, "Tgid"))
		st->tgid = atoi(line);
	else if (!strcmp(key, "Pid"))
		st->pid = atoi(line);
	else if (!strcmp(key, "PPid"))
		st->ppid = atoi(line);
	else if (!strcmp(key, "TracerPid"))
		st->tracer = atoi(line);
	else if (!strcmp(key, "Threads"))
		st->threads = atoi(line);
	else if (!strcmp(key, "Uid"))
		st->uid = effective(line);
	else if (!strcmp(key, "NSpid"))
		copy(st->nspid, sizeof(st->nspid), line,
		     strspn(line, "0123456789\t"));
	else if (!strcmp(key, "NSpgid"))
		st->pgrp = atoi(line);
	else if (!strcmp(key, "NSsid"))
		st->sid = atoi(line);
	else if (!strcmp(key, "CoreDumping"))
		st->dumping = atoi(line) == 1;
	else if (!strcmp(key, "VmSize"))
		st->vm_size_kb = atol(line);
	else if (!strcmp(key, "VmRSS"))
		st->vm_rss_kb = atol(line);
	else if (!strcmp(key, "voluntary_ctxt_switches"))
		st->sleeps = atoll(line);
	else if (!strcmp(key, "SigQ"))
		st->sigq = atoi(line);
	else if (!strcmp(key, "SigPnd"))
		st->sigpnd = mask;
	else if (!strcmp(key, "ShdPnd"))
		st->shdpnd = mask;
	else if (!strcmp(key, "SigBlk"))
		st->sigblk = mask;
	else if (!strcmp(key, "SigIgn"))
		st->sigign = mask;
	else if (!strcmp(key, "SigCgt"))
		st->sigcgt = mask;
}

int proc_status_parse(const char *text, struct proc_status *st)
{
	*st = (struct proc_status){
		.ppid = -1,
		.vm_size_kb = -1,
		.vm_rss_kb = -1,
	};
	while (text && *text) {
		status_line(text, st);
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return isalpha((unsigned char)st->state) && st->tgid && st->pid ?
		       0 :
		       -EBADMSG;
}

int proc_status(pid_t pid, pid_t tid, struct proc_status *st)
{
	char text[8192];
	ssize_t n = proc_read(pid, tid, "status", text, sizeof(text));

	return n < 0 ? (int)n : proc_status_parse(text, st);
}

static void closedir_ptr(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int rising(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

int proc_tasks(pid_t pid, pid_t *tids, int max)
{
	__attribute__((cleanup(closedir_ptr))) DIR *dir = NULL;
	struct dirent *e;
	char path[64];
	int n = 0;

	task_path(path, sizeof(path), pid, 0, "task");
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (errno = 0, (e = readdir(dir))) {
		uint64_t tid;

		if (parse_number(e->d_name, INT32_MAX, &tid))
			continue;
		if (n < max)
			tids[n] = (pid_t)tid;
		n++;
	}
	if (errno)
		return -errno;
	qsort(tids, (size_t)(n < max ? n : max), sizeof(*tids), rising);
	return n;
}

int proc_stat_parse(const char *text, int n, int64_t *value)
{
	const char *p = strrchr(text, ')');
	char *end;

	if (!p || n < 4)
		return -EBADMSG;
	for (int field = 2; field < n; field++) {
		p = strchr(p, ' ');
		if (!p)
			return -EBADMSG;
		p++;
	}
	*value = strtoll(p, &end, 10);
	return end == p ? -EBADMSG : 0;
}

int proc_stat_field(pid_t pid, pid_t tid, int n, int64_t *value)
{
	char text[2048];
	ssize_t len = proc_read(pid, tid, "stat", text, sizeof(text));

	return len < 0 ? (int)len : proc_stat_parse(text, n, value);
}

int proc_syscall(pid_t pid, pid_t tid)
{
	char text[256];
	ssize_t n = proc_read(pid, tid, "syscall", text, sizeof(text));
	int nr;

	if (n < 0)
		return (int)n;
	if (!strncmp(text, "running", 7))
		return -EBUSY;
	return sscanf(text, "%d", &nr) == 1 && nr >= 0 ? nr : -EINVAL;
}

bool proc_is_ours(void)
{
	char link[32] = "";

	return readlink("/proc/self", link, sizeof(link) - 1) > 0 &&
	       atoi(link) == getpid();
}

/* PROC_PID_INIT_INO */
bool proc_in_first_pid_ns(void)
{
	struct stat ns;

	return !stat("/proc/self/ns/pid", &ns) && ns.st_ino == 0xeffffffcU;
}

bool proc_exists(pid_t pid, pid_t tid)
{
	char path[64];

	task_path(path, sizeof(path), pid, tid, "");
	return !access(path, F_OK);
}
