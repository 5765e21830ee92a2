// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "command.h"
#include "core/await.h"
#include "core/util.h"
#include "runner.h"
#include "scenario.h"
#include "stage.h"

enum {
	OPT_TAP = OPT_OWN,
	OPT_BISECT,
	OPT_ARTIFACTS,
	OPT_DEADLINE,
	OPT_AWAIT,
	OPT_FAIL_FAST,
	OPT_REPEAT,
	OPT_RECORD,
	OPT_BUSY,
	OPT_TRACE,
	OPT_SNAPSHOTS,
};

#define MAX_BUSY 64

static int no_such_scenario(const char *name)
{
	complain(&cmd_run,
		 "there is no scenario '%s'; did you mean '%s'? 'undead list' has them all",
		 name, scenario_nearest(name)->name);
	return STATUS_USAGE;
}

static int run_named(char **names, int n, const struct out *out,
		     const struct run_options *options)
{
	_cleanup_free_ const struct scenario **list = NULL;

	list = calloc((size_t)n, sizeof(*list));
	if (!list) {
		complain(&cmd_run, "no memory");
		return STATUS_BROKEN;
	}
	for (int i = 0; i < n; i++) {
		list[i] = scenario_find(names[i]);
		if (!list[i])
			return no_such_scenario(names[i]);
	}
	return run_all(list, (size_t)n, out, options);
}

static int limit(const char *text, int *ms)
{
	uint64_t n;

	if (parse_duration(text, &n) || !n || n > INT_MAX)
		return usage_error(&cmd_run,
				   "'%s' is no duration (500ms, 30s, 2m)",
				   text);
	*ms = (int)n;
	return 0;
}

static int number(const char *text, int max, const char *what, int *value)
{
	uint64_t n;

	if (parse_number(text, (uint64_t)max, &n) || !n)
		return usage_error(&cmd_run, "'%s' is no number of %s", text,
				   what);
	*value = (int)n;
	return 0;
}

/* Others that want the CPUs; they end with us, whatever ends us. */
static int make_busy(int n)
{
	pid_t us = getpid();

	while (n-- > 0) {
		pid_t pid = fork();

		if (pid < 0) {
			complain(&cmd_run, "cannot make a busy loop: %m");
			return STATUS_BROKEN;
		}
		if (pid)
			continue;
		prctl(PR_SET_NAME, "undead-busy");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == us)
			;
		_exit(0);
	}
	return 0;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "tap", no_argument, NULL, OPT_TAP },
		{ "bisect", no_argument, NULL, OPT_BISECT },
		{ "artifacts", required_argument, NULL, OPT_ARTIFACTS },
		{ "deadline", required_argument, NULL, OPT_DEADLINE },
		{ "await", required_argument, NULL, OPT_AWAIT },
		{ "fail-fast", no_argument, NULL, OPT_FAIL_FAST },
		{ "repeat", required_argument, NULL, OPT_REPEAT },
		{ "record", required_argument, NULL, OPT_RECORD },
		{ "busy", required_argument, NULL, OPT_BUSY },
		{ "trace", no_argument, NULL, OPT_TRACE },
		{ "snapshots", required_argument, NULL, OPT_SNAPSHOTS },
		{ 0 }
	};
	struct run_options how = { .artifacts = getenv("UNDEAD_ARTIFACTS") };
	const struct out *out = &out_text;
	bool bisect = false;
	int busy = 0, c, status;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPT_HELP:
			fputs(cmd_run.help, stdout);
			return 0;
		case OPT_JSON:
			out = &out_json;
			break;
		case OPT_TAP:
			out = &out_tap;
			break;
		case OPT_BISECT:
			bisect = true;
			break;
		case OPT_ARTIFACTS:
			how.artifacts = optarg;
			break;
		case OPT_DEADLINE:
		case OPT_AWAIT:
			status = limit(optarg, c == OPT_AWAIT ?
						       &await_limit_ms :
						       &how.deadline_ms);
			if (status)
				return status;
			break;
		case OPT_FAIL_FAST:
			how.fail_fast = true;
			break;
		case OPT_TRACE:
			stage_trace = true;
			break;
		case OPT_SNAPSHOTS:
			stage_snapshots = optarg;
			break;
		case OPT_REPEAT:
			status = number(optarg, 1000000, "repetitions",
					&how.repeat);
			if (status)
				return status;
			out = &out_repeat;
			break;
		case OPT_RECORD:
			how.record = optarg;
			break;
		case OPT_BUSY:
			status = number(optarg, MAX_BUSY, "busy loops", &busy);
			if (status)
				return status;
			break;
		default:
			status = bad_option(&cmd_run, argv);
			return bisect ? bisect_status(status) : status;
		}
	}
	if (how.record && !how.repeat)
		return usage_error(&cmd_run, "--record is for --repeat");
	status = make_busy(busy);
	if (status)
		return status;
	if (optind < argc) {
		status = run_named(argv + optind, argc - optind, out, &how);
	} else {
		size_t n;
		const struct scenario *const *all = scenarios(&n);

		status = run_all(all, n, out, &how);
	}
	return bisect ? bisect_status(status) : status;
}

const struct command cmd_run = {
	.name = "run",
	.summary = "play scenarios and check what the kernel does",
	.help = "Usage: undead run [OPTION...] [NAME...]\n\n"
		"Plays the named scenarios, or all, one after the other, and prints every\n"
		"expectation with the kernel function that makes it so.\n\n"
		"  --tap             TAP version 13\n"
		"  --json            one JSON object at the end (docs/json.md)\n"
		"  --artifacts DIR   keep evidence of what did not pass there\n"
		"                    (default: $UNDEAD_ARTIFACTS, else nowhere)\n"
		"  --bisect          exit status for 'git bisect run'\n"
		"  --fail-fast       end with the first expectation that fails\n"
		"  --deadline TIME   of each scenario, at most\n"
		"  --trace           look at each death through the tracepoint, too\n"
		"  --snapshots DIR   keep what the doctor is shown, for 'undead why --from'\n"
		"  --repeat N        each so many times in a row; a line for each at the end,\n"
		"                    and only what failed in between\n"
		"  --record FILE     with --repeat: write down each scenario that is through;\n"
		"                    who has a line for this kernel is not played again\n"
		"  --busy N          beside so many busy loops\n"
		"  --await TIME      how long a state may take to come (10s)\n"
		"  -h, --help        this text\n\n"
		"Examples:\n"
		"  undead run zombie-leader\n"
		"  undead run --tap\n"
		"  undead run --artifacts /tmp/evidence zombie-leader-init\n"
		"  undead run --repeat 200 --busy 2 --record soak sigchld wait-zombie\n\n"
		"Exit status: 0 all passed; 1 something FAILED (the kernel did something\n"
		"else); 2 wrong usage; 3 BROKEN (the set-up, not the kernel); 4 nothing but\n"
		"SKIP. With --bisect: 0, 1, 125 (3 and 4), 128 (anything else).\n",
	.run = run,
};
