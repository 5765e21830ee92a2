// SPDX-License-Identifier: GPL-2.0
/* What was wrong, and the test points. */
#include <stdarg.h>

#include "ops.h"

int points, failed;

bool wrong(const char *format, ...)
{
	va_list ap;

	if (ADD(sh->wrong, 1))
		return false;
	va_start(ap, format);
	vsnprintf(sh->what, sizeof(sh->what), format, ap);
	va_end(ap);
	return false;
}

void test_point(bool ok, const char *format, ...)
{
	va_list ap;

	printf("%sok %d ", ok ? "" : "not ", ++points);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	failed += !ok;
}

long read_long(const char *path)
{
	FILE *file = fopen(path, "re");
	long n = -1;

	if (file && fscanf(file, "%ld", &n) != 1)
		n = -1;
	if (file)
		fclose(file);
	return n;
}

__u64 print_operations(__u64 *ok)
{
	__u64 done = 0;

	*ok = 0;
	printf("# %-16s %9s %9s\n", "operation", "done", "succeeded");
	for (unsigned int i = 0; i < op_count; i++) {
		printf("# %-16s %9llu %9llu\n", ops[i].name,
		       (unsigned long long)sh->done[i],
		       (unsigned long long)sh->ok[i]);
		done += sh->done[i];
		*ok += sh->ok[i];
	}
	return done;
}

void check_seen(void)
{
	static const char *const point[] = { "read",      "ioctl", "fault",
					     "vma-close", "flush", "release",
					     "aio" };
	int missing = 0;

	printf("# seen in lists:  uninter killabl interru    idle  iowait    spin\n");
	for (int p = 0; p < UNDEAD_POINTS; p++) {
		__u64 n = 0;

		printf("# %-14s", point[p]);
		for (int k = 0; k < UNDEAD_KINDS; k++) {
			printf(" %7llu", (unsigned long long)sh->seen[p][k]);
			n += sh->seen[p][k];
		}
		putchar('\n');
		missing += !n;
	}
	for (int k = 0; k < UNDEAD_KINDS; k++) {
		__u64 n = 0;

		for (int p = 0; p < UNDEAD_POINTS; p++)
			n += sh->seen[p][k];
		missing += !n;
	}
	test_point(!missing, "every point and every kind was seen held");
}

void check_reasons(const struct undead_counters *before,
		   const struct undead_counters *after, __u64 done)
{
	static const char *const reason[] = { "request", "deadline", "owner",
					      "signal", "shutdown" };

	for (int i = 0; i < UNDEAD_REASONS; i++) {
		__u64 n = after->released[i] - before->released[i];

		if (i == UNDEAD_REASON_SHUTDOWN && access(SNAPSHOT, R_OK))
			printf("ok %d # SKIP no release by shutdown: a kernel without %s\n",
			       ++points, SNAPSHOT);
		else
			test_point(n >= done / 1000,
				   "released by %s: %llu, at least %llu",
				   reason[i], (unsigned long long)n,
				   (unsigned long long)done / 1000);
	}
}

/* The last reference of an fd that was under way may be put by a worker. */
static bool await_refcount(void)
{
	long until = now_ms() + AWAIT_MS;

	while (read_long("/sys/module/undead/refcnt")) {
		if (now_ms() > until)
			return false;
		poll(NULL, 0, 10);
	}
	return true;
}

void check_left(const struct undead_counters *before, unsigned int gates)
{
	struct undead_counters after;
	int fd;

	test_point(await_refcount(), "nobody has the device open");
	fd = control_open();
	after = counters(fd);
	test_point(!after.held && info(fd).gates == gates,
		   "no hold and no gate is left");
	test_point(sum(&after) == after.admitted,
		   "admitted (%llu) is what was released",
		   (unsigned long long)(after.admitted - before->admitted));
	close(fd);
}

void check_rare(bool inject)
{
	test_point(sh->limited[0] && sh->limited[1],
		   "limits were met: ENFILE %llu times, EUSERS %llu times",
		   (unsigned long long)sh->limited[0],
		   (unsigned long long)sh->limited[1]);
	if (inject)
		test_point(sh->faults, "allocations and copies failed: %llu",
			   (unsigned long long)sh->faults);
	else
		printf("ok %d # SKIP no fault is injected: a kernel without CONFIG_FAULT_INJECTION\n",
		       ++points);
}
