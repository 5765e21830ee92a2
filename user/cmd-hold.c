// SPDX-License-Identifier: GPL-2.0
/* The owner of a gate, and some processes held at it. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "command.h"
#include "core/actor.h"
#include "core/await.h"
#include "core/dev.h"

enum {
	OPT_DEADLINE = OPT_OWN,
	OPT_COUNT,
};

#define MAX_COUNT 1000

struct plan {
	uint64_t deadline_ms, count;
};

/* Return: 0, or the exit status after a complaint. */
static int check_deadline(struct plan *p, const char *text,
			  const struct undead_info *info)
{
	int err = text ? parse_duration(text, &p->deadline_ms) : 0;

	if (!text)
		p->deadline_ms = info->default_deadline_ms;
	if (err == -EINVAL)
		return usage_error(&cmd_hold,
				   "'%s' is no duration (500ms, 30s, 2m)",
				   text);
	if (!err && !p->deadline_ms)
		return usage_error(&cmd_hold,
				   "a deadline of 0 would hold nobody: give at least 1ms");
	if (err || p->deadline_ms > info->max_deadline_ms)
		return usage_error(&cmd_hold,
				   "a deadline of %s is beyond the limit of %" PRIu64
				   " s (module parameter max_deadline_ms)",
				   text ? text : "default",
				   (uint64_t)info->max_deadline_ms / 1000);
	return 0;
}

static int make_held(int gate_fd, uint64_t n)
{
	struct actor *a = calloc(n, sizeof(*a));
	int err = a ? 0 : -ENOMEM;

	for (uint64_t i = 0; i < n && !err; i++) {
		err = actor_spawn(&a[i], "held", NULL);
		if (!err)
			err = thread_tell(&a[i].threads[0], order_read, gate_fd,
					  0, 0);
		if (!err)
			err = dev_await(gate_fd, i + 1, AWAIT_MS);
		if (!err &&
		    await_state(a[i].pid, a[i].pid, 'D', AWAIT_MS) != 'D')
			err = -ETIMEDOUT;
		if (!err)
			printf("%d\n", a[i].pid);
	}
	/* The array lives as long as the processes, and so do we. */
	return err;
}

static int signals_fd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static uint64_t still_held(int gate_fd)
{
	struct undead_counters c;

	return dev_counters(gate_fd, &c) ? 0 : c.held;
}

/* Until nobody is held any more, or somebody tells us to stop. */
static int wait_for_end(int gate_fd, int signals)
{
	struct undead_counters c;

	while (still_held(gate_fd)) {
		if (await_readable(signals, 200)) {
			fprintf(stderr,
				"undead hold: interrupted, releasing %" PRIu64
				"\n",
				still_held(gate_fd));
			return 130;
		}
	}
	if (dev_counters(gate_fd, &c))
		return STATUS_BROKEN;
	fprintf(stderr,
		"undead hold: over: %" PRIu64 " released by request, %" PRIu64
		" by the deadline\n",
		(uint64_t)c.released[UNDEAD_REASON_REQUEST],
		(uint64_t)c.released[UNDEAD_REASON_DEADLINE]);
	return 0;
}

static int hold_some(const struct plan *p, int ctl)
{
	_cleanup_close_ int signals = signals_fd(), fd = -1;
	int err = actors_init();

	if (!err) {
		fd = dev_gate(ctl, 1U << UNDEAD_POINT_READ,
			      UNDEAD_KIND_UNINTERRUPTIBLE, p->deadline_ms,
			      NULL);
		err = fd < 0 ? fd : make_held(fd, p->count);
	}
	if (err) {
		complain(&cmd_hold,
			 "cannot hold %" PRIu64
			 " process(es): %s; 'undead status' tells the limits",
			 p->count, strerror(-err));
		return STATUS_BROKEN;
	}
	fflush(stdout);
	fprintf(stderr,
		"undead hold: %" PRIu64
		" in D for at most %.3g s; Ctrl-C or 'undead release PID' lets go\n",
		p->count, (double)p->deadline_ms / 1000);
	return wait_for_end(fd, signals);
}

static int hold(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP },
		{ "deadline", required_argument, NULL, OPT_DEADLINE },
		{ "count", required_argument, NULL, OPT_COUNT },
		{ 0 }
	};
	const char *deadline = NULL;
	struct plan p = { .count = 1 };
	_cleanup_close_ int ctl = -1;
	struct undead_info info;
	int c, status;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPT_HELP:
			fputs(cmd_hold.help, stdout);
			return 0;
		case OPT_DEADLINE:
			deadline = optarg;
			break;
		case OPT_COUNT:
			if (parse_number(optarg, MAX_COUNT, &p.count) ||
			    !p.count)
				return usage_error(&cmd_hold,
						   "'%s' is no count from 1 to %d",
						   optarg, MAX_COUNT);
			break;
		default:
			return bad_option(&cmd_hold, argv);
		}
	}
	if (optind < argc)
		return usage_error(&cmd_hold, "'%s' is one argument too many",
				   argv[optind]);
	ctl = open_device(&cmd_hold);
	if (ctl < 0)
		return STATUS_BROKEN;
	if (dev_info(ctl, &info))
		return STATUS_BROKEN;
	status = check_deadline(&p, deadline, &info);
	return status ? status : hold_some(&p, ctl);
}

const struct command cmd_hold = {
	.name = "hold",
	.summary = "hold new processes in D until released",
	.help = "Usage: undead hold [--count N] [--deadline TIME]\n\n"
		"Forks N processes (default 1) that sleep in the device in D, prints their\n"
		"pids to stdout and stays until they are released, by Ctrl-C, by 'undead\n"
		"release' elsewhere, or by the deadline (default: that of the module). When\n"
		"it ends, even by kill -9, they are released and end.\n\n"
		"  --deadline TIME   500ms, 30s, 2m, 1h\n"
		"  --count N         1 to 1000\n"
		"  -h, --help        this text\n\n"
		"Examples:\n"
		"  undead hold\n"
		"  undead hold --count 3 --deadline 10s &\n\n"
		"Exit status: 0 all were released; 2 wrong usage; 3 cannot hold; 130\n"
		"interrupted.\n",
	.run = hold,
};
