// SPDX-License-Identifier: GPL-2.0
/* What reads text: /proc files with hostile names, numbers, durations. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/out.h"
#include "core/proc.h"
#include "core/util.h"

static int tests, failures;

static void check(bool ok, const char *what)
{
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
}

static void test_status(void)
{
	struct proc_status st;
	static const char zombie[] =
		"Name:\tState:\\nZ) x\nState:\tZ (zombie)\nTgid:\t12\nPid:\t12\n"
		"PPid:\t1\nTracerPid:\t7\nThreads:\t2\nSigPnd:\t0000000000000000\n"
		"ShdPnd:\t0000000000000100\nSigBlk:\t0000000000010000\n";
	static const char alive[] =
		"Name:\tT\nState:\tD (disk sleep)\nTgid:\t12\nPid:\t13\nPPid:\t1\n"
		"VmSize:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t2\n"
		"SigPnd:\t0000000000000100\nSigCgt:\t8000000000000000\n";

	check(!proc_status_parse(zombie, &st) && st.state == 'Z' &&
		      st.tgid == 12 && st.ppid == 1 && st.tracer == 7 &&
		      st.threads == 2 && st.shdpnd == 0x100 && !st.sigpnd &&
		      st.sigblk == 0x10000 && st.vm_size_kb == -1,
	      "status of a zombie with a name that looks like a field");
	check(!proc_status_parse(alive, &st) && st.state == 'D' &&
		      st.pid == 13 && st.vm_size_kb == 2048 &&
		      st.vm_rss_kb == 1024 && st.sigpnd == 0x100 &&
		      st.sigcgt == 1ULL << 63,
	      "status of a living thread");
	check(proc_status_parse("", &st) == -EBADMSG &&
		      proc_status_parse("Name:\tx\n", &st) == -EBADMSG,
	      "status that is cut short");
	check(!proc_status(getpid(), 0, &st) && st.pid == getpid() &&
		      st.ppid == getppid() && st.state == 'R',
	      "status of ourselves");
	check(proc_status(1 << 30, 0, &st) < 0, "status of nobody");
}

static void test_stat(void)
{
	static const char hostile[] =
		"12 (a) Z 1 2 (x) y\n) R 99 12 12 0 -1 4194304";
	int64_t v;

	check(!proc_stat_parse(hostile, 4, &v) && v == 99,
	      "stat with a name full of parentheses");
	check(!proc_stat_parse(hostile, 8, &v) && v == -1, "a negative field");
	check(proc_stat_parse(hostile, 52, &v) == -EBADMSG &&
		      proc_stat_parse("12 (a", 4, &v) == -EBADMSG &&
		      proc_stat_parse(hostile, 3, &v) == -EBADMSG,
	      "stat that is cut short, and a field that is no number");
	check(!proc_stat_field(getpid(), 0, 4, &v) && v == getppid(),
	      "stat of ourselves");
}

static void test_numbers(void)
{
	uint64_t n = 77;

	check(!parse_number("0", 9, &n) && !n && !parse_number("9", 9, &n) &&
		      n == 9,
	      "numbers");
	check(parse_number("10", 9, &n) == -ERANGE &&
		      parse_number("99999999999999999999", UINT64_MAX, &n) ==
			      -ERANGE,
	      "numbers out of range");
	check(parse_number("", 9, &n) == -EINVAL &&
		      parse_number("-1", 9, &n) == -EINVAL &&
		      parse_number(" 1", 9, &n) == -EINVAL &&
		      parse_number("1x", 9, &n) == -EINVAL && n == 9,
	      "what is no number");
	check(!parse_duration("500ms", &n) && n == 500 &&
		      !parse_duration("30s", &n) && n == 30000 &&
		      !parse_duration("2m", &n) && n == 120000 &&
		      !parse_duration("1h", &n) && n == 3600000 &&
		      !parse_duration("3", &n) && n == 3000,
	      "durations");
	check(parse_duration("s", &n) == -EINVAL &&
		      parse_duration("1.5s", &n) == -EINVAL &&
		      parse_duration("1 s", &n) == -EINVAL &&
		      parse_duration("99999999999999999h", &n) == -ERANGE &&
		      n == 3000,
	      "what is no duration");
}

static void test_safe(void)
{
	char buf[64], tiny[6];

	check(!strcmp(out_safe(buf, sizeof(buf), "a\033[31m\n\\\xff b"),
		      "a\\x1b[31m\\x0a\\x5c\\xff b"),
	      "hostile names are escaped");
	check(strlen(out_safe(tiny, sizeof(tiny), "abcdefgh")) < sizeof(tiny) &&
		      strlen(out_safe(tiny, sizeof(tiny), "\n\n\n")) <
			      sizeof(tiny),
	      "and cut to fit");
}

int main(void)
{
	printf("TAP version 13\n");
	test_status();
	test_stat();
	test_numbers();
	test_safe();
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
