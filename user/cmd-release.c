// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "core/dev.h"

enum {
	OPT_ALL = OPT_OWN,
	OPT_OLDEST,
	OPT_ID,
};

/* Return: the exit status. */
static int report(int64_t n, const char *what)
{
	if (n == -ESRCH) {
		complain(&cmd_release,
			 "%s is not held; 'undead status' lists who is", what);
		return 1;
	}
	if (n < 0) {
		complain(&cmd_release, "%s: %s", what, strerror((int)-n));
		return STATUS_BROKEN;
	}
	printf("%" PRId64 " released\n", n);
	return 0;
}

static int release_tids(int ctl, char **tids, int n)
{
	int status = 0;

	for (int i = 0; i < n; i++) {
		uint64_t tid;

		if (parse_number(tids[i], INT32_MAX, &tid) || !tid)
			return usage_error(&cmd_release, "'%s' is no thread id",
					   tids[i]);
	}
	for (int i = 0; i < n; i++) {
		uint64_t tid = 0;
		int one;

		parse_number(tids[i], INT32_MAX, &tid);
		one = report(dev_release(ctl, UNDEAD_RELEASE_TID, tid),
			     tids[i]);
		status = one ? one : status;
	}
	return status;
}

static int release(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP },
		{ "all", no_argument, NULL, OPT_ALL },
		{ "oldest", required_argument, NULL, OPT_OLDEST },
		{ "id", required_argument, NULL, OPT_ID },
		{ 0 }
	};
	_cleanup_close_ int ctl = -1;
	const char *number = NULL;
	uint64_t id = 0;
	int c, what = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPT_HELP:
			fputs(cmd_release.help, stdout);
			return 0;
		case OPT_ALL:
			what = c;
			break;
		case OPT_OLDEST:
		case OPT_ID:
			what = c;
			number = optarg;
			break;
		default:
			return bad_option(&cmd_release, argv);
		}
	}
	if (what ? optind < argc : optind == argc)
		return usage_error(&cmd_release,
				   "say whom: thread ids, or one of --all, --oldest, --id");
	if (number && parse_number(number, INT64_MAX, &id))
		return usage_error(&cmd_release, "'%s' is no number", number);
	ctl = open_device(&cmd_release);
	if (ctl < 0)
		return STATUS_BROKEN;
	switch (what) {
	case OPT_ALL:
		return report(dev_gate_open(ctl, UNDEAD_OPEN_EVERY), "all");
	case OPT_OLDEST:
		return report(dev_release(ctl, UNDEAD_RELEASE_OLDEST, id),
			      number);
	case OPT_ID:
		return report(dev_release(ctl, UNDEAD_RELEASE_HOLD, id),
			      number);
	default:
		return release_tids(ctl, argv + optind, argc - optind);
	}
}

const struct command cmd_release = {
	.name = "release",
	.summary = "let held threads go on",
	.help = "Usage: undead release TID...\n"
		"       undead release --all | --oldest N | --id HOLD\n\n"
		"Releases held threads, whoever holds them, in the whole system.\n\n"
		"  TID...       these threads\n"
		"  --all        everybody, and open every gate for good\n"
		"  --oldest N   the N that have been held longest\n"
		"  --id HOLD    the hold with this number ('undead status')\n"
		"  -h, --help   this text\n\n"
		"Examples:\n"
		"  undead release 4711\n"
		"  undead release --all\n\n"
		"Exit status: 0; 1 somebody named is not held; 2 wrong usage; 3 no device.\n",
	.run = release,
};
