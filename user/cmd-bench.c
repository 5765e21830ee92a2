// SPDX-License-Identifier: GPL-2.0
/* Whole reproductions, without the expectations, to be timed from outside. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "command.h"
#include "core/actor.h"
#include "core/await.h"
#include "core/dev.h"
#include "core/proc.h"

#define MAX_ROUNDS 1000000

/* From stat, which is half the price of status; nobody is in exec here. */
static bool is_zombie(void *arg)
{
	char text[512];
	const char *p;

	if (proc_read(*(pid_t *)arg, 0, "stat", text, sizeof(text)) <= 0)
		return false;
	p = strrchr(text, ')');
	return p && p[1] && p[2] == 'Z';
}

/* fork, thread, hold, kill, zombie leader, release, reap */
static int reproduce(int gate_fd)
{
	struct thread *t;
	struct actor p;
	int64_t n;
	int err, status;

	err = actor_spawn(&p, "P", NULL);
	if (!err)
		err = actor_thread(&p, "T", &t);
	if (!err)
		err = thread_tell(t, order_read, gate_fd, 0, 0);
	if (!err)
		err = dev_await(gate_fd, 1, AWAIT_MS);
	if (err)
		return err;
	kill(p.pid, SIGKILL);
	if (!await_true(is_zombie, &p.pid, AWAIT_MS))
		return -ETIMEDOUT;
	n = dev_release(gate_fd, UNDEAD_RELEASE_ALL, 0);
	if (n != 1)
		return n < 0 ? (int)n : -EPROTO;
	if (waitpid(p.pid, &status, 0) != p.pid || WTERMSIG(status) != SIGKILL)
		return -EPROTO;
	close(p.pidfd);
	close(p.threads[0].cmd);
	close(t->cmd);
	return 0;
}

static int bench(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP },
		{ "rounds", required_argument, NULL, OPT_OWN },
		{ 0 }
	};
	_cleanup_close_ int ctl = -1, fd = -1;
	uint64_t rounds = 100, i;
	int c, err;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPT_HELP:
			fputs(cmd_bench.help, stdout);
			return 0;
		case OPT_OWN:
			if (!parse_number(optarg, MAX_ROUNDS, &rounds) && rounds)
				break;
			return usage_error(&cmd_bench,
					   "'%s' is no count from 1 to %d",
					   optarg, MAX_ROUNDS);
		default:
			return bad_option(&cmd_bench, argv);
		}
	}
	if (optind < argc)
		return usage_error(&cmd_bench, "'%s' is one argument too many",
				   argv[optind]);
	ctl = open_device(&cmd_bench);
	if (ctl < 0)
		return STATUS_BROKEN;
	fd = dev_gate(ctl, 1U << UNDEAD_POINT_READ, UNDEAD_KIND_UNINTERRUPTIBLE,
		      60000, NULL);
	err = fd < 0 ? fd : actors_init();
	for (i = 0; i < rounds && !err; i++)
		err = reproduce(fd);
	if (!err)
		return 0;
	complain(&cmd_bench, "round %" PRIu64 " did not work: %s", i,
		 strerror(-err));
	return STATUS_BROKEN;
}

const struct command cmd_bench = {
	.name = "bench",
	.summary = "whole reproductions without the checks, to be timed",
	.help = "Usage: undead bench [--rounds N]\n\n"
		"Makes and ends N zombie leaders (default 100): fork, thread, hold, kill,\n"
		"release, reap. Prints nothing; 'make bench' times it beside a yardstick.\n\n"
		"Example:\n"
		"  time undead bench --rounds 1000\n\n"
		"Exit status: 0; 2 wrong usage; 3 it did not work.\n",
	.run = bench,
};
