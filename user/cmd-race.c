// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <limits.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "command.h"
#include "race-engine.h"
#include "runner.h"

#define DEFAULT_BUDGET_MS 30000

enum {
	OPT_TAP = OPT_OWN,
	OPT_LIST,
	OPT_BUDGET,
	OPT_FULL,
	OPT_SEED,
	OPT_SVG,
	OPT_PIN,
	OPT_REPEAT,
	OPT_BISECT,
};

static int list_races(void)
{
	size_t n;
	const struct race *const *all = races(&n);

	for (size_t i = 0; i < n; i++)
		printf("%-24s %s%s\n", all[i]->name, all[i]->summary,
		       all[i]->by_name ? " (only by its name)" : "");
	return 0;
}

static int parse_seed(const char *text, uint64_t *seed)
{
	char *end;

	errno = 0;
	*seed = strtoull(text, &end, 0);
	if (errno || end == text || *end || strchr(text, '-'))
		return usage_error(&cmd_race,
				   "'%s' is no seed (a number, or 0x...)",
				   text);
	return 0;
}

static int parse_budget(const char *text, int *ms)
{
	uint64_t n;

	if (parse_duration(text, &n) || !n || n > INT_MAX)
		return usage_error(&cmd_race,
				   "'%s' is no duration (500ms, 30s, 2m)",
				   text);
	*ms = (int)n;
	return 0;
}

static int parse_repeat(const char *text, int *repeat)
{
	uint64_t n;

	if (parse_number(text, 1000000, &n) || !n)
		return usage_error(&cmd_race,
				   "'%s' is no number of repetitions", text);
	*repeat = (int)n;
	return 0;
}

/* The races named, or all but those that want to be named. */
static int choose(char **names, int n, const struct race **list, size_t *nr)
{
	size_t all_nr;
	const struct race *const *all = races(&all_nr);

	*nr = 0;
	for (size_t i = 0; !n && i < all_nr; i++)
		if (!all[i]->by_name)
			list[(*nr)++] = all[i];
	for (int i = 0; i < n; i++) {
		list[*nr] = race_find(names[i]);
		if (!list[(*nr)++])
			return usage_error(&cmd_race,
					   "there is no race '%s'; did you mean '%s'? 'undead race --list' has them all",
					   names[i],
					   race_nearest(names[i])->name);
	}
	return 0;
}

static int play(char **names, int n, const struct race_out *out,
		const struct race_options *how)
{
	_cleanup_free_ const struct race **list = NULL;
	size_t nr;
	int err, status;

	races(&nr);
	list = calloc(nr + (size_t)n, sizeof(*list));
	if (!list) {
		complain(&cmd_race, "no memory");
		return STATUS_BROKEN;
	}
	status = choose(names, n, list, &nr);
	if (status)
		return status;
	err = how->svg ? race_svg_open(how->svg) : 0;
	if (!err) {
		status = race_all(list, nr, out, how);
		err = race_svg_close();
	}
	if (!err)
		return status;
	complain(&cmd_race, "cannot write %s: %s", how->svg, strerror(-err));
	return STATUS_BROKEN;
}

static int race(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "tap", no_argument, NULL, OPT_TAP },
		{ "list", no_argument, NULL, OPT_LIST },
		{ "budget", required_argument, NULL, OPT_BUDGET },
		{ "full", no_argument, NULL, OPT_FULL },
		{ "seed", required_argument, NULL, OPT_SEED },
		{ "svg", required_argument, NULL, OPT_SVG },
		{ "pin", no_argument, NULL, OPT_PIN },
		{ "repeat", required_argument, NULL, OPT_REPEAT },
		{ "bisect", no_argument, NULL, OPT_BISECT },
		{ 0 }
	};
	struct race_options how = { .budget_ms = DEFAULT_BUDGET_MS,
				    .repeat = 1 };
	const struct race_out *out = &race_text;
	bool bisect = false;
	int c, status = 0;

	if (getrandom(&how.seed, sizeof(how.seed), GRND_NONBLOCK) < 0)
		how.seed = (uint64_t)now_ms();
	how.seed >>= 16;
	opterr = 0;
	while (!status &&
	       (c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPT_HELP:
			fputs(cmd_race.help, stdout);
			return 0;
		case OPT_LIST:
			return list_races();
		case OPT_JSON:
			out = &race_json;
			break;
		case OPT_TAP:
			out = &race_tap;
			break;
		case OPT_BUDGET:
			status = parse_budget(optarg, &how.budget_ms);
			break;
		case OPT_FULL:
			how.full = true;
			break;
		case OPT_SEED:
			status = parse_seed(optarg, &how.seed);
			break;
		case OPT_SVG:
			how.svg = optarg;
			break;
		case OPT_PIN:
			how.pin = true;
			break;
		case OPT_REPEAT:
			status = parse_repeat(optarg, &how.repeat);
			break;
		case OPT_BISECT:
			bisect = true;
			break;
		default:
			status = bad_option(&cmd_race, argv);
		}
	}
	if (!status)
		status = play(argv + optind, argc - optind, out, &how);
	return bisect ? bisect_status(status) : status;
}

const struct command cmd_race = {
	.name = "race",
	.summary = "let two sides race until both were seen to win",
	.help = "Usage: undead race [OPTION...] [NAME...]\n\n"
		"Plays the named races, or all, one after the other: in each round the sides\n"
		"go at once but for a delay, which is searched until the outcomes mix. A race\n"
		"passes when each outcome was met in 100 rounds and in 5 % of them and every\n"
		"promise was kept in every round. One that was not met is VACUOUS: nothing\n"
		"is proved.\n\n"
		"  --list            the races, each with one line\n"
		"  --budget TIME     for the free rounds of each race (30s)\n"
		"  --full            spend all of it; else the proof is the end\n"
		"  --seed N          of the delays (default: at random; it is printed)\n"
		"  --pin             each side on a CPU of its own\n"
		"  --repeat N        so many times, each with the next seed\n"
		"  --svg FILE        histograms, outcome by delay, as a picture\n"
		"  --tap             TAP version 13\n"
		"  --json            one JSON object at the end (docs/json.md)\n"
		"  --bisect          exit status for 'git bisect run'\n"
		"  -h, --help        this text\n\n"
		"Examples:\n"
		"  undead race two-waiters\n"
		"  undead race --budget 5m --full --svg /tmp/exec.svg exec-exit\n"
		"  undead race --seed 0x5eed --repeat 10 two-waiters\n"
		"  undead race lifecycle-vacuous; echo $?        # 5\n\n"
		"Exit status: 0 all passed; 1 something FAILED (a promise not kept, or a\n"
		"round that does not end); 2 wrong usage; 3 BROKEN (the set-up, not the\n"
		"kernel); 4 nothing but SKIP; 5 VACUOUS (an outcome was not met). With\n"
		"--bisect: 0, 1, 125 (3, 4 and 5), 128 (anything else).\n",
	.run = race,
};
