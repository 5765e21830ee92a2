// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "command.h"
#include "core/out.h"
#include "scan.h"

enum {
	OPT_CHECK = OPT_OWN,
	OPT_METRICS,
	OPT_OLDER,
	OPT_THREADS,
	OPT_WATCH,
};

enum {
	SCAN_CLEAN,
	SCAN_STUCK,
	SCAN_CRITICAL, /* --check only: Nagios' number, else that of wrong usage */
	SCAN_UNKNOWN,
};

enum {
	NPD_OK,
	NPD_PROBLEM,
	NPD_UNKNOWN,
};

/*
 * struct order - what is wanted
 * @show:    how
 * @check:   exit status as monitoring wants it
 * @npd:     and that of the node problem detector
 * @metrics: file, or NULL
 * @watch_ms: 0: once
 */
struct order {
	void (*show)(const struct scan *sc, FILE *f);
	bool check, npd, threads;
	const char *metrics;
	uint64_t older_ms, watch_ms;
};

/* --- the file of metrics ------------------------------------------------ */

/* Into a file without a name: who is killed here leaves nothing. */
static FILE *nameless(const char *path, int *fd)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";

	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) + 1,
			 path);
	*fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	return *fd < 0 ? NULL : fdopen(*fd, "w");
}

/* Whoever collects it never sees half of it. */
static int write_metrics(const struct scan *sc, const char *path)
{
	_cleanup_free_ char *tmp = NULL;
	char link[64];
	FILE *f;
	int fd, err = 0;

	/* Always the same: were it left, the next run would take it. */
	if (asprintf(&tmp, "%s.tmp", path) < 0)
		return -ENOMEM;
	f = nameless(path, &fd);
	if (!f && errno != EOPNOTSUPP && errno != EISDIR)
		return -errno;
	unlink(tmp);
	if (!f)
		f = fopen(tmp, "we");
	if (!f)
		return -errno;
	scan_metrics(sc, f);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (fflush(f) || fsync(fileno(f)) ||
	    (fd >= 0 &&
	     linkat(AT_FDCWD, link, AT_FDCWD, tmp, AT_SYMLINK_FOLLOW)) ||
	    rename(tmp, path))
		err = -errno;
	if (err)
		unlink(tmp);
	fclose(f);
	return err;
}

/* --- the command -------------------------------------------------------- */

static int status_of(const struct scan *sc, const struct order *o)
{
	bool partly = sc->left_out || sc->hidden;

	if (!o->check)
		return sc->nr_groups ? SCAN_STUCK : SCAN_CLEAN;
	if (!sc->nr_groups)
		return partly ? SCAN_UNKNOWN : SCAN_CLEAN;
	return scan_unkillable(sc) ? SCAN_CRITICAL : SCAN_STUCK;
}

static int show(const struct scan *sc, const struct order *o)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f;
	int err;

	if (o->metrics) {
		err = write_metrics(sc, o->metrics);
		if (!err)
			return SCAN_CLEAN;
		complain(&cmd_scan, "cannot write %s: %s", o->metrics,
			 strerror(-err));
		return SCAN_UNKNOWN;
	}
	f = open_memstream(&text, &size);
	if (!f)
		return SCAN_UNKNOWN;
	/* At once, so that a redrawn page does not flicker. */
	if (o->watch_ms && isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J\033[3J", f);
	o->show(sc, f);
	if (fclose(f))
		return SCAN_UNKNOWN;
	fwrite(text, 1, size, stdout);
	return fflush(stdout) ? SCAN_UNKNOWN : status_of(sc, o);
}

static int scan_once(const struct order *o)
{
	struct scan sc = {
		.older_s = (int64_t)(o->older_ms / 1000),
		.all_threads = o->threads,
	};
	int err = scan_machine(&sc), status = SCAN_UNKNOWN;

	if (err)
		complain(&cmd_scan, "cannot look at the processes: %s%s",
			 strerror(-err),
			 err == -ENOENT ? ": is /proc mounted here?" : "");
	else
		status = show(&sc, o);
	scan_free(&sc);
	return status;
}

static int scan_again_and_again(const struct order *o)
{
	const struct timespec every = {
		.tv_sec = (time_t)(o->watch_ms / 1000),
		.tv_nsec = (long)(o->watch_ms % 1000) * 1000000,
	};
	const struct itimerspec timer = { every, every };
	_cleanup_close_ int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t ticks;
	int status;

	if (fd < 0 || timerfd_settime(fd, 0, &timer, NULL)) {
		complain(&cmd_scan, "no timer: %m");
		return SCAN_UNKNOWN;
	}
	do
		status = scan_once(o);
	while (status != SCAN_UNKNOWN &&
	       read(fd, &ticks, sizeof(ticks)) == sizeof(ticks));
	return status;
}

static int obey(const struct order *o)
{
	int status = o->watch_ms ? scan_again_and_again(o) : scan_once(o);

	if (!o->npd)
		return status;
	return status == SCAN_CLEAN   ? NPD_OK :
	       status == SCAN_UNKNOWN ? NPD_UNKNOWN :
					NPD_PROBLEM;
}

static const struct option options[] = {
	{ "help", no_argument, NULL, OPT_HELP },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "check", optional_argument, NULL, OPT_CHECK },
	{ "openmetrics", required_argument, NULL, OPT_METRICS },
	{ "older", required_argument, NULL, OPT_OLDER },
	{ "threads", no_argument, NULL, OPT_THREADS },
	{ "watch", optional_argument, NULL, OPT_WATCH },
	{ 0 }
};

/* Return: 0, or STATUS_USAGE. */
static int take(int c, struct order *o, char **argv)
{
	switch (c) {
	case OPT_JSON:
		o->show = scan_json;
		return 0;
	case OPT_CHECK:
		o->show = scan_check;
		o->check = true;
		o->npd = optarg && !strcmp(optarg, "npd");
		if (!optarg || o->npd || !strcmp(optarg, "nagios"))
			return 0;
		return usage_error(&cmd_scan,
				   "'--check=%s' is neither nagios nor npd",
				   optarg);
	case OPT_METRICS:
		o->metrics = optarg;
		return 0;
	case OPT_OLDER:
		if (!parse_duration(optarg, &o->older_ms))
			return 0;
		return usage_error(&cmd_scan, "'%s' is no duration", optarg);
	case OPT_THREADS:
		o->threads = true;
		return 0;
	case OPT_WATCH:
		o->watch_ms = 2000;
		if (!optarg ||
		    (!parse_duration(optarg, &o->watch_ms) && o->watch_ms))
			return 0;
		return usage_error(&cmd_scan, "'%s' is no time between looks",
				   optarg);
	default:
		return bad_option(&cmd_scan, argv);
	}
}

static int parse(int argc, char **argv, struct order *o)
{
	int c, err = 0;

	opterr = 0;
	while (!err && (c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == OPT_HELP) {
			fputs(cmd_scan.help, stdout);
			return -1;
		}
		err = take(c, o, argv);
	}
	if (err)
		return err;
	if (optind < argc)
		return usage_error(&cmd_scan, "'%s' is one argument too many",
				   argv[optind]);
	if ((o->metrics || o->watch_ms) && o->show != scan_text)
		return usage_error(&cmd_scan,
				   "--json and --check stand alone, without --watch or --openmetrics");
	return 0;
}

static int scan(int argc, char **argv)
{
	struct order o = { .show = scan_text };
	int err = parse(argc, argv, &o);

	if (err < 0)
		return 0;
	if (err && o.npd)
		return NPD_UNKNOWN;
	if (err)
		return o.check ? SCAN_UNKNOWN : err;
	return obey(&o);
}

const struct command cmd_scan = {
	.name = "scan",
	.summary = "every stuck process of the machine, by root cause",
	.help = "Usage: undead scan [--older DURATION] [--threads]\n"
		"                   [--watch[=DURATION]] [--openmetrics FILE] | --json | --check[=npd]\n\n"
		"Looks once at every process, twice at those that are zombies, asleep in D or\n"
		"not gone after a SIGKILL, and groups them by what is at the bottom of it: one\n"
		"thread in D, the zombies that its process does not reap, their containers.\n"
		"Oldest first.\n\n"
		"  --older DURATION     say nothing of who sleeps for less (300, 5m)\n"
		"  --threads            look at each thread, also of processes whose leader looks\n"
		"                       well: as many times slower as there are threads\n"
		"  --watch[=DURATION]   again every 2 s, until Ctrl-C; the FILE, too\n"
		"  --check              one line and the exit status, as Nagios has it\n"
		"  --check=npd          the same for Kubernetes' node-problem-detector\n"
		"  --openmetrics FILE   gauges by cause, for the textfile collector of\n"
		"                       node_exporter; FILE is replaced at once\n"
		"  --json               docs/json.md\n"
		"  -h, --help           this text\n\n"
		"Examples:\n"
		"  undead scan\n"
		"  undead scan --check --older 300 || page-somebody\n"
		"  undead scan --openmetrics /var/lib/prometheus/node-exporter/undead.prom\n"
		"docs/fleet.md has a systemd timer and a DaemonSet.\n\n"
		"Exit status: 0 nothing is stuck (or FILE is written); 1 something is; 2 wrong\n"
		"usage; 3 could not tell. --check: 0 nothing is stuck; 1 something is; 2 and\n"
		"SIGKILL does not end it; 3 could not tell, wrong usage included. --check=npd:\n"
		"0, 1, and 2 could not tell.\n",
	.run = scan,
};
