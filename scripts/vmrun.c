// SPDX-License-Identifier: GPL-2.0
/*
 * vmrun [OPTION...] -- QEMU-COMMAND: one run of the throw-away VM.
 *
 * Starts QEMU so that it dies with us however we end, gives the guest its
 * three ports (user/init/init.c has the other end), keeps the deadline, tells
 * a crash from an end, and exits with the status of the guest's command.
 *
 *   --timeout S     deadline for the whole run
 *   --console FILE  where QEMU writes the kernel's console, shown on failure
 *   --evidence FILE a tar from the guest, unpacked beside it if there is one
 *   --retry N       so often again when the guest dies before its init
 *   --tty           our terminal is the guest's console
 *   --keep          the guest stays up after the command, until it is ended
 *   --fs COMMAND    a virtiofsd for QEMU's chardev "fs"; $FD is its socket
 *   --gdb SYMBOLS   QEMU's gdb stub on a free port, and how to attach
 *   --boot S        a guest that is not up by then never is (60)
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { EX_DEADLINE = 124, EX_SETUP = 125, EX_CRASH = 126 };

#define POWER_OFF_S 20
#define TAIL_LINES  50
#define QUIT_KEY    0x1d /* Ctrl-] */

enum { CONSOLE, STATUS, OUTPUT, QMP, PORTS };

struct run {
	int timeout, boot, retries;
	bool tty, keep;
	const char *console, *evidence, *fs, *gdb;
	char **qemu;

	/* of one try */
	pid_t pid;
	int port[PORTS];
	bool up, reset, kept;
	int result;        /* -1 until the guest has said it */
	char events[4096]; /* what QMP said and was not looked at yet */
	char lines[4096];  /* the same of the status channel */
	char error[512];
};

static struct termios cooked;

static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("vm: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static int setup_failed(const char *what)
{
	say("%s: %s", what, strerror(errno));
	exit(EX_SETUP);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void show_console(const struct run *run)
{
	FILE *log = fopen(run->console, "re");
	char line[512];
	int lines = 0;

	if (!log)
		return;
	while (fgets(line, sizeof(line), log))
		lines++;
	rewind(log);
	while (fgets(line, sizeof(line), log))
		if (lines-- <= TAIL_LINES)
			fprintf(stderr, "  | %s", line);
	fclose(log);
	say("the whole console is %s", run->console);
}

static bool out_of_memory(const struct run *run)
{
	FILE *log = fopen(run->console, "re");
	bool found = false;
	char line[512];

	while (log && !found && fgets(line, sizeof(line), log))
		found = strstr(line, "Out of memory: ");
	if (log)
		fclose(log);
	return found;
}

/* The child dies with us, and a signal from the terminal is for us alone. */
static pid_t child(pid_t parent)
{
	sigset_t none;
	pid_t pid = fork();

	if (pid < 0)
		setup_failed("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EX_SETUP);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

/*
 * The socket of virtiofsd has no name that could be left behind: we listen,
 * give it the listening end, and QEMU the connected one.
 */
static int start_fs(const struct run *run)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(name);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char number[16];

	if (bind(listener, (void *)&name, sizeof(sa_family_t)) ||
	    listen(listener, 1) ||
	    getsockname(listener, (void *)&name, &size) ||
	    connect(fd, (void *)&name, size))
		setup_failed("socket of virtiofsd");
	if (!child(getpid())) {
		close(fd);
		snprintf(number, sizeof(number), "%d", listener);
		setenv("FD", number, 1);
		execl("/bin/sh", "sh", "-c", run->fs, NULL);
		_exit(EX_SETUP);
	}
	close(listener);
	return fd;
}

/* A port that nobody has: QEMU gets the listening socket. */
static int start_gdb(const struct run *run)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (void *)&name, size) || listen(fd, 1) ||
	    getsockname(fd, (void *)&name, &size))
		setup_failed("socket for gdb");
	say("gdb %s-ex 'target remote localhost:%d' attaches to this VM",
	    run->gdb, ntohs(name.sin_port));
	return fd;
}

static int add_chardev(char **argv, int argc, const char *format, int fd)
{
	argv[argc] = "-chardev";
	if (asprintf(&argv[argc + 1], format, fd) < 0)
		setup_failed("memory");
	return argc + 2;
}

static void start_qemu(struct run *run)
{
	static const char *const formats[PORTS] = { "socket,id=terminal,fd=%d",
						    "socket,id=status,fd=%d",
						    "socket,id=output,fd=%d",
						    "socket,id=qmp,fd=%d" };
	int end[PORTS], fs = -1, gdb = -1, argc = 0;
	char **argv;
	pid_t self = getpid();

	while (run->qemu[argc])
		argc++;
	argv = calloc(argc + 2 * (PORTS + 2) + 1, sizeof(*argv));
	memcpy(argv, run->qemu, argc * sizeof(*argv));
	for (int i = 0; i < PORTS; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
			setup_failed("socketpair");
		run->port[i] = pair[0];
		end[i] = pair[1];
		argc = add_chardev(argv, argc, formats[i], end[i]);
	}
	if (run->fs) {
		fs = start_fs(run);
		argc = add_chardev(argv, argc, "socket,id=fs,fd=%d", fs);
	}
	if (run->gdb) {
		gdb = start_gdb(run);
		argc = add_chardev(argv, argc,
				   "socket,id=gdb,server=on,wait=off,fd=%d",
				   gdb);
	}

	run->pid = child(self);
	if (!run->pid) {
		for (int i = 0; i < PORTS; i++)
			close(run->port[i]);
		/* What is typed is ours. */
		dup2(open("/dev/null", O_RDONLY), 0);
		execvp(argv[0], argv);
		say("%s: %s: run 'make deps', or install qemu-system-x86",
		    argv[0], strerror(errno));
		_exit(EX_SETUP);
	}
	for (int i = 0; i < PORTS; i++)
		close(end[i]);
	if (fs >= 0)
		close(fs);
	if (gdb >= 0)
		close(gdb);
	dprintf(run->port[QMP], "{\"execute\":\"qmp_capabilities\"}\n");
}

/* Takes what came into @lines; calls @see for each whole line. */
static bool read_lines(struct run *run, int fd, char *lines, size_t room,
		       void (*see)(struct run *run, const char *line))
{
	size_t used = strlen(lines);
	ssize_t size = read(fd, lines + used, room - used - 1);
	char *end;

	if (size <= 0)
		return false;
	lines[used + size] = 0;
	while ((end = strchr(lines, '\n'))) {
		*end++ = 0;
		see(run, lines);
		memmove(lines, end, strlen(end) + 1);
	}
	if (strlen(lines) == room - 1)
		*lines = 0;
	return true;
}

static void see_status(struct run *run, const char *line)
{
	if (!strcmp(line, "up"))
		run->up = true;
	else if (!strncmp(line, "error ", 6))
		snprintf(run->error, sizeof(run->error), "%s", line + 6);
	else if (sscanf(line, "exit %d", &run->result) == 1 && run->keep)
		run->kept = true;
}

/* A reset is how a panic ends (panic=-1); a power-off is a shutdown. */
static void see_event(struct run *run, const char *line)
{
	if (strstr(line, "\"SHUTDOWN\"") && strstr(line, "\"guest-reset\""))
		run->reset = true;
}

static bool copy(int from, int to)
{
	char buffer[1 << 14];
	ssize_t size = read(from, buffer, sizeof(buffer)), done;

	for (ssize_t n = 0; n < size; n += done) {
		done = write(to, buffer + n, size - n);
		if (done < 0)
			return false;
	}
	return size > 0;
}

static void terminal(bool raw)
{
	struct termios mode = cooked;

	if (raw)
		cfmakeraw(&mode);
	tcsetattr(0, TCSAFLUSH, &mode);
}

/* What was typed; false when it is the key that ends the VM. */
static bool typed(struct run *run)
{
	char keys[256];
	ssize_t size = read(0, keys, sizeof(keys));

	if (size <= 0 || memchr(keys, QUIT_KEY, size))
		return false;
	return write(run->port[CONSOLE], keys, size) == size;
}

/* Returns 0 when QEMU has ended, or why it has to: a signal, -1 the deadline. */
static int watch(struct run *run, int signals, double deadline)
{
	bool raw = run->tty && isatty(0);
	struct pollfd fds[PORTS + 2] = { 0 };
	double boot = now() + run->boot;
	bool open = true;

	for (int i = 0; i < PORTS; i++)
		fds[i] =
			(struct pollfd){ .fd = run->port[i], .events = POLLIN };
	fds[PORTS] = (struct pollfd){ .fd = signals, .events = POLLIN };
	fds[PORTS + 1] =
		(struct pollfd){ .fd = raw ? 0 : -1, .events = POLLIN };

	while (open) {
		double end = run->up || boot > deadline ? deadline : boot;
		double left = run->kept ? 3600 : end - now();

		if (left <= 0)
			return -1;
		poll(fds, PORTS + 2, left * 1000 + 1);

		if (fds[PORTS].revents) {
			struct signalfd_siginfo info;

			if (read(signals, &info, sizeof(info)) > 0)
				return info.ssi_signo;
		}
		if (fds[PORTS + 1].revents && !typed(run))
			return SIGINT;
		if (fds[CONSOLE].revents && !copy(fds[CONSOLE].fd, 1))
			fds[CONSOLE].fd = -1;
		if (fds[OUTPUT].revents && !copy(fds[OUTPUT].fd, 1))
			fds[OUTPUT].fd = -1;
		if (fds[QMP].revents &&
		    !read_lines(run, run->port[QMP], run->events,
				sizeof(run->events), see_event))
			fds[QMP].fd = -1;
		if (fds[STATUS].revents) {
			bool before = run->result >= 0;

			open = read_lines(run, run->port[STATUS], run->lines,
					  sizeof(run->lines), see_status);
			if (run->result >= 0 && !before)
				deadline = now() + POWER_OFF_S;
			if (run->kept && !before)
				say("the command ended with %d and the VM is kept: %s ends it",
				    run->result, raw ? "Ctrl-]" : "Ctrl-C");
		}
	}
	/* It is gone: what is left in its ports is the last of it. */
	while (fds[OUTPUT].fd >= 0 && copy(fds[OUTPUT].fd, 1))
		;
	while (fds[QMP].fd >= 0 && read_lines(run, run->port[QMP], run->events,
					      sizeof(run->events), see_event))
		;
	return 0;
}

/* One boot; returns our exit status, or -1 when the guest never got to init. */
static int attempt(struct run *run, int signals, double deadline)
{
	int why, status;

	run->up = false;
	run->reset = false;
	run->kept = false;
	run->result = -1;
	*run->events = 0;
	*run->lines = 0;
	*run->error = 0;
	start_qemu(run);
	why = watch(run, signals, deadline);
	if (why)
		kill(run->pid, SIGKILL);
	waitpid(run->pid, &status, 0);
	for (int i = 0; i < PORTS; i++)
		close(run->port[i]);

	if (why > 0 && run->kept)
		return run->result;
	if (why > 0)
		return 128 + why;
	if (!why && WIFEXITED(status) && WEXITSTATUS(status))
		return EX_SETUP; /* QEMU has said why */
	if (*run->error) {
		say("the guest could not set itself up: %s", run->error);
		show_console(run);
		return EX_SETUP;
	}
	if (!run->up && now() < deadline)
		return -1;
	if (why && run->result < 0) {
		say("no end after %d s, the guest was stopped: raise --timeout, or see where it hangs:",
		    run->timeout);
		show_console(run);
		return EX_DEADLINE;
	}
	if (why || run->reset || run->result < 0) {
		if (run->result < 0)
			say("the guest %s before the command ended:",
			    run->reset ? "crashed or rebooted" : "went off");
		else
			say("the command ended with %d, and then the guest %s:",
			    run->result, why ? "did not power off" : "crashed");
		show_console(run);
		return EX_CRASH;
	}
	if (run->result == 128 + SIGKILL && out_of_memory(run)) {
		say("the guest ran out of memory, its kernel has killed somebody: raise --mem, or see who took it:");
		show_console(run);
	}
	return run->result;
}

static void unpack_evidence(const struct run *run)
{
	const char *script =
		"cd \"${0%/*}\" || exit; [ ! -s \"$0\" ] || tar -xf \"$0\"; rm -rf \"$0\" guest";
	struct stat st;
	pid_t pid;

	if (!run->evidence || stat(run->evidence, &st))
		return;
	if (st.st_size)
		say("evidence of what failed is in %.*s",
		    (int)(strrchr(run->evidence, '/') - run->evidence),
		    run->evidence);
	pid = child(getpid());
	if (!pid) {
		execlp("sh", "sh", "-c", script, run->evidence, NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void usage(void)
{
	say("usage: vmrun --console FILE [--evidence FILE] [--timeout S] [--retry N] [--tty] [--keep] [--fs COMMAND] [--gdb SYMBOLS] [--boot S] -- QEMU...");
	exit(EX_SETUP);
}

static void parse(struct run *run, char **arg)
{
	for (; *arg && strcmp(*arg, "--"); arg++) {
		if (!strcmp(*arg, "--tty"))
			run->tty = true;
		else if (!strcmp(*arg, "--keep"))
			run->keep = true;
		else if (!arg[1])
			usage();
		else if (!strcmp(*arg, "--timeout"))
			run->timeout = atoi(*++arg);
		else if (!strcmp(*arg, "--retry"))
			run->retries = atoi(*++arg);
		else if (!strcmp(*arg, "--console"))
			run->console = *++arg;
		else if (!strcmp(*arg, "--evidence"))
			run->evidence = *++arg;
		else if (!strcmp(*arg, "--fs"))
			run->fs = *++arg;
		else if (!strcmp(*arg, "--gdb"))
			run->gdb = *++arg;
		else if (!strcmp(*arg, "--boot"))
			run->boot = atoi(*++arg);
		else
			usage();
	}
	if (!*arg || !arg[1] || !run->console)
		usage();
	run->qemu = arg + 1;
}

int main(int argc, char **argv)
{
	struct run run = { .timeout = 120, .boot = 60 };
	int signals, result;
	double deadline;
	sigset_t set;

	(void)argc;
	parse(&run, argv + 1);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (run.tty && !tcgetattr(0, &cooked))
		terminal(true);

	deadline = now() + run.timeout;
	for (;;) {
		result = attempt(&run, signals, deadline);
		if (result >= 0 || !run.retries--)
			break;
		say("the guest died before its init, which emulation does now and then: again");
	}
	if (result < 0) {
		say("the kernel never got to its init:");
		show_console(&run);
		result = EX_CRASH;
	}
	if (run.tty && isatty(0))
		terminal(false);
	unpack_evidence(&run);
	return result;
}
