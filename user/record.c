// SPDX-License-Identifier: GPL-2.0
/* A line: kernel, scenario, passed, failed, broken, skipped, slowest in ms. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/util.h"
#include "record.h"

_Static_assert(OUTCOMES == 4, "a column for each outcome");

/* Half a line, of somebody who was killed, is none. */
static bool parse(const char *line, const char *kernel, int times,
		  struct record *r)
{
	char release[65], name[65];
	int64_t slowest;
	int n[OUTCOMES];

	if (!strchr(line, '\n') ||
	    sscanf(line, "%64s %64s %d %d %d %d %" SCNd64, release, name, n,
		   n + 1, n + 2, n + 3, &slowest) != 3 + OUTCOMES)
		return false;
	if (strcmp(release, kernel) || strcmp(name, r->name) ||
	    n[0] + n[1] + n[2] + n[3] != times)
		return false;
	memcpy(r->count, n, sizeof(n));
	r->slowest = slowest;
	return true;
}

bool record_find(const char *path, int times, struct record *r)
{
	_cleanup_file_ FILE *f = fopen(path, "re");
	struct utsname u;
	char line[512];
	bool found = false;

	uname(&u);
	while (f && fgets(line, sizeof(line), f))
		found |= parse(line, u.release, times, r);
	return found;
}

int record_add(const char *path, const struct record *r)
{
	_cleanup_close_ int fd = -1;
	struct utsname u;
	char line[256];
	int n;

	uname(&u);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	n = snprintf(line, sizeof(line), "%s %s %d %d %d %d %" PRId64 "\n",
		     u.release, r->name, r->count[OUTCOME_PASS],
		     r->count[OUTCOME_FAIL], r->count[OUTCOME_BROKEN],
		     r->count[OUTCOME_SKIP], r->slowest);
	/* In one piece: others may add to it. */
	if (write(fd, line, (size_t)n) != n)
		return errno ? -errno : -EIO;
	return 0;
}
