// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz [--seed N] [--ops N] [--players N] [--replay SEQUENCE]: sequences of
 * operations on the device, valid and not, from several threads and processes.
 *
 * A sequence is STEPS operations drawn from the seed and its number alone. Its
 * process S, which owns the gates, does some of them and sends the others, with
 * the fd they are about, to actors: threads of S, and children of S. What an
 * actor cannot do now, because it is held, it does later: the same seed plays
 * the same operations, not the same schedule. S ends in one of several ways,
 * with threads held. A player, of which there are several, plays the next
 * sequence when S and all its actors are gone. Every gate has a deadline; the
 * supervisor ends the run when no sequence has ended for STUCK_MS.
 *
 * Where the kernel can inject faults, one operation of FAULTY has its nth
 * allocation or copy to or from user space fail, whatever nth is.
 *
 * Told to be wrong: an invalid call that does not fail as the header says,
 * counters that do not add up, a list out of order, an actor that crashed.
 * TAP on stdout; exit status 0, or 1 when a test point failed.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#include "ops.h"

#define PLAYED      165 /* of STEPS, at least: others die with who does them */
#define MAX_PLAYERS 16
#define IMPLICIT_MS "20" /* deadline of read() on a control file */

struct shared *sh;

static bool play_all(__u64 seed, __u64 sequences, int players)
{
	pid_t player[MAX_PLAYERS];
	bool gone;

	for (int i = 0; i < players; i++)
		player[i] = start_player(seed, sequences);
	gone = supervise(player, players, sequences);
	test_point(sh->digest == digest(seed, 0, sequences),
		   "the operations were those of the seed");
	return gone;
}

static void replay(__u64 seed, __u64 number, bool print)
{
	__u64 before = sh->digest;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	play_and_reap(seed, number, print);
	test_point(sh->digest - before == digest(seed, number, number + 1),
		   "sequence %llu, replayed, was the same",
		   (unsigned long long)number);
}

static void run(__u64 seed, __u64 nr_ops, int players, long long number)
{
	long tainted = read_long("/proc/sys/kernel/tainted");
	struct undead_counters before, after;
	__u64 sequences = (nr_ops + PLAYED - 1) / PLAYED, done, ok;
	bool inject = can_inject(), gone;
	struct utsname name;
	unsigned int gates;
	long start, took;
	int fd;

	fd = control_open();
	before = counters(fd);
	gates = info(fd).gates;
	close(fd);
	start = now_ms();
	gone = number >= 0 || play_all(seed, sequences, players);
	if (gone)
		replay(seed, number < 0 ? 0 : (__u64)number, number >= 0);
	took = now_ms() - start + 1;
	fd = control_open();
	after = counters(fd);
	close(fd);

	done = print_operations(&ok);
	printf("# seed %#llx digest %#llx: %llu sequences of %d, the longest %llu ms\n",
	       (unsigned long long)seed, (unsigned long long)sh->digest,
	       (unsigned long long)sh->finished, STEPS,
	       (unsigned long long)sh->longest_ms);
	test_point(gone, "no task of ours is left");
	check_left(&before, gates);
	test_point(!sh->wrong, "nothing was wrong%s%s", sh->wrong ? ": " : "",
		   sh->what);
	test_point(ok * 2 >= done, "at least half succeeded: %llu of %llu",
		   (unsigned long long)ok, (unsigned long long)done);
	if (number < 0) {
		check_seen();
		check_reasons(&before, &after, nr_ops);
		check_rare(inject);
		test_point(done >= nr_ops,
			   "%llu operations were done, at least %llu",
			   (unsigned long long)done,
			   (unsigned long long)nr_ops);
	}
	test_point(read_long("/proc/sys/kernel/tainted") == tainted,
		   "the kernel did not warn");
	printf("1..%d\n", points);
	uname(&name);
	printf("# summary: Linux %s: fuzz, seed %#llx: %llu operations in %ld s, %llu/s; %llu faults injected; %d of %d test points failed\n",
	       name.release, (unsigned long long)seed, (unsigned long long)done,
	       took / 1000, (unsigned long long)(done * 1000 / (__u64)took),
	       (unsigned long long)sh->faults, failed, points);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: fuzz [--seed N] [--ops N] [--players 1-%d] [--replay SEQUENCE]\n",
		MAX_PLAYERS);
	return 2;
}

int main(int argc, char **argv)
{
	__u64 seed = 1, nr_ops = 20000;
	long long number = -1;
	int players = 4;

	if (argc == 2 && !strcmp(argv[1], "--exec"))
		return 0;
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage();
		if (!strcmp(argv[i], "--seed"))
			seed = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--ops"))
			nr_ops = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--players"))
			players = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--replay"))
			number = strtoll(argv[i + 1], NULL, 0);
		else
			return usage();
	}
	if (players < 1 || players > MAX_PLAYERS)
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n# seed %#llx\n", (unsigned long long)seed);
	if (access(DEVICE, R_OK | W_OK)) {
		printf("1..0 # SKIP needs the module and root\n");
		return 0;
	}
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED || !set_parameter("deadline_ms", IMPLICIT_MS))
		return 1;
	snprintf(sh->default_limit[0], 16, "%ld",
		 read_long(PARAMETERS "max_gates"));
	snprintf(sh->default_limit[1], 16, "%ld",
		 read_long(PARAMETERS "max_holds"));
	run(seed, nr_ops, players, number);
	set_parameter("deadline_ms", "60000");
	return !!failed;
}
