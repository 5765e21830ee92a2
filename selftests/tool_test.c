// SPDX-License-Identifier: GPL-2.0
/*
 * The tool on a machine with the module: what it does, and what it says when
 * something is missing. Each row is a shell command, the exit status, and a
 * part of its output; the rows build on one another.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"

#define OTHER "/tmp/other.ko"
/* Until so many are held. */
#define HELD(n)                                                    \
	"until [ $(undead status | grep -c uninterruptible) = " #n \
	" ]; do :; done;"
#define RELOAD "undead load --module $UNDEAD_MODULE"

static const struct {
	const char *command;
	int status;
	const char *says;
} rows[] = {
	{ "undead status", 0, "held 0 of" },
	{ "undead status --json", 0, "\"undead_status\": 1" },
	/* hold, release, and who does it */
	{ "undead hold --deadline 100ms", 0,
	  "0 released by request, 1 by the deadline" },
	{ "undead hold --count 2 >/tmp/pids & h=$!;" HELD(
		  2) "undead release --all; wait $h",
	  0, "2 released by request, 0 by the deadline" },
	{ "undead hold >/tmp/pid & h=$!;" HELD(
		  1) "undead release 1 2>&1; undead release $(cat /tmp/pid); wait $h",
	  0, "1 is not held; 'undead status' lists who is" },
	{ "undead hold >/tmp/pid & h=$!;" HELD(1) "kill -INT $h; wait $h", 130,
	  "interrupted, releasing 1" },
	{ "undead release --id 18446744073709551615", 2, "is no number" },
	{ "undead release --id 999999999", 1, "is not held" },
	{ "undead release --oldest 5", 0, "0 released" },
	{ "undead release --all", 0, "0 released" },
	{ "undead hold --deadline 0", 2, "a deadline of 0 would hold nobody" },
	{ "undead hold --deadline 2h", 2, "beyond the limit of 3600 s" },
	{ "undead hold --deadline soon", 2, "is no duration" },
	{ "undead hold --deadline 99999999999999999h", 2, "beyond the limit" },
	{ "timeout -s KILL 20 cat /dev/undead & h=$!;" HELD(
		  1) "undead release --oldest 1;"
		     "wait $h; echo cat=$?",
	  0, "cat=0" },
	/* a hostile name */
	{ "printf 'cat /dev/undead; :' >'/tmp/\033[31mx'; sh '/tmp/\033[31mx' & h=$!;" HELD(
		  1) "undead status; undead release --all; wait $h",
	  0, "1 released" },
	/* evidence of what did not pass, in a folder that cannot be */
	{ "undead run --artifacts /proc/nowhere zombie-leader", 0,
	  "cannot write /proc/nowhere/zombie-leader.txt" },
	{ "undead run --artifacts /tmp/kept zombie-leader && ls /tmp/kept; echo n=$(ls /tmp/kept | wc -l)",
	  0, "n=0" },
	/* a view that would be missing without a word */
	{ "[ -d /sys/kernel/tracing/events/signal ] || echo 'one SIGCHLD, si_code 1'; undead run --trace exit-code-last",
	  0, "one SIGCHLD, si_code 1" },
	/* who is not root */
	{ "grep -qs ^nobody /etc/passwd || echo nobody:x:65534:65534::/:/bin/sh >>/etc/passwd",
	  0, "" },
	{ "chmod 755 /bin/undead; su -s /bin/sh nobody -c 'undead status'", 3,
	  "needs root (CAP_SYS_ADMIN" },
	{ "su -s /bin/sh nobody -c 'undead run zombie-leader'", 4,
	  "needs root" },
	{ "su -s /bin/sh nobody -c 'undead unload'", 3,
	  "not permitted: use sudo" },
	/* the module */
	{ "(exec 3</dev/undead; undead unload)", 1, "the module is in use" },
	{ "undead load", 0, "loaded already" },
	{ RELOAD, 0, "loaded already" },
	{ "undead unload", 0, "" },
	{ "undead unload", 0, "the module is not loaded" },
	{ "undead status", 3, "the module is not loaded: run 'undead load'" },
	{ "undead run zombie-leader", 4, "the module is not loaded" },
	{ "undead load", 3, "there is no module at" },
	{ "undead load --module " OTHER, 3, "is for Linux 9" },
	{ "undead load --module /proc/self/status", 3, "is no kernel module" },
	{ "undead load --module /tmp", 3, "cannot load /tmp" },
	{ "undead load --module $UNDEAD_MODULE deadline_ms=5000 && undead status",
	  0, "deadline 5 s" },
	{ "undead unload && undead load --module $UNDEAD_MODULE deadline_ms=soon",
	  3, "dmesg says why" },
	/* the node */
	{ RELOAD, 0, "" },
	{ "mv /dev/undead /dev/away; undead status", 3,
	  "/dev/undead is missing" },
	{ "mknod /dev/undead c 1 3; undead status", 3, "is not our device" },
	{ "mv /dev/away /dev/undead; undead status", 0, "held 0 of" },
	{ "undead unload && " RELOAD " && undead status", 0, "held 0 of" },
};

/* Our module, but for a kernel whose release begins with 9. */
static void make_other_module(const char *ko)
{
	static const char key[] = "vermagic=";
	struct stat st;
	char *p, *at;
	int in = open(ko, O_RDONLY | O_CLOEXEC);
	int out = open(OTHER, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (in < 0 || out < 0 || fstat(in, &st))
		ksft_exit_fail_msg("cannot copy %s: %m\n", ko);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		 in, 0);
	at = p == MAP_FAILED ?
		     NULL :
		     memmem(p, (size_t)st.st_size, key, sizeof(key) - 1);
	if (!at)
		ksft_exit_fail_msg("%s has no vermagic\n", ko);
	at[sizeof(key) - 1] = '9';
	/* With MODVERSIONS the release does not count, the flags do. */
	at = strchr(at, ' ');
	if (at)
		at[1] ^= ' ';
	if (write(out, p, (size_t)st.st_size) != st.st_size)
		ksft_exit_fail_msg("cannot write " OTHER ": %m\n");
	close(in);
	close(out);
}

static int run(const char *command, char *text, size_t size)
{
	char shell[2048];
	size_t n;
	FILE *f;
	int status;

	snprintf(shell, sizeof(shell), "{ %s; } 2>&1", command);
	f = popen(shell, "re");
	if (!f)
		return -1;
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	const char *ko = getenv("UNDEAD_MODULE");
	const size_t n = sizeof(rows) / sizeof(rows[0]);
	static char text[65536];

	ksft_print_header();
	if (access("/dev/undead", R_OK | W_OK) || !ko)
		ksft_exit_skip("needs the module, root and UNDEAD_MODULE\n");
	ksft_set_plan((unsigned int)n);
	make_other_module(ko);
	for (size_t i = 0; i < n; i++) {
		int status = run(rows[i].command, text, sizeof(text));
		bool ok = status == rows[i].status &&
			  strstr(text, rows[i].says) && !strchr(text, '\033');

		ksft_test_result(ok, "%.50s: %d\n", rows[i].command, status);
		if (!ok)
			ksft_print_msg("expected %d and \"%s\", got \"%s\"\n",
				       rows[i].status, rows[i].says, text);
	}
	ksft_finished();
}
