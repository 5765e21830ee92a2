// SPDX-License-Identifier: GPL-2.0
/*
 * Who sends a file into another one has a pipe for it, without a descriptor, until
 * it ends. Its buffers are counted for the user, whose next pipe is a small one
 * when there are too many.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/proc.h"
#include "../scenario.h"

#define SOMEBODY 60124
#define SENDERS  64
#define ROOM     512 /* buffers; those of the senders are twice as many */
#define BIG      256
#define USUAL    16
#define PAGE     4096

/* Pipes, until there is room for ROOM to BIG + ROOM of arg[0] buffers. */
static int64_t order_fill(const struct order *o)
{
	for (int64_t left = o->arg[0]; left >= BIG + ROOM; left -= BIG) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0 ||
		    fcntl(ends[0], F_SETPIPE_SZ, BIG * PAGE) != BIG * PAGE)
			return -errno;
		close(ends[1]);
	}
	return 0;
}

static int64_t order_pipe_size(const struct order *o)
{
	_cleanup_close_ int in = -1, out = -1;
	int ends[2];

	(void)o;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	in = ends[0];
	out = ends[1];
	return fcntl(in, F_GETPIPE_SZ);
}

static int send_page(void)
{
	_cleanup_close_ int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int out = open("/dev/null", O_WRONLY | O_CLOEXEC);

	return sendfile(out, in, NULL, PAGE) == PAGE ? 0 : 1;
}

/* arg[0] children, one after the other. */
static int64_t order_senders(const struct order *o)
{
	for (int64_t i = 0; i < o->arg[0]; i++) {
		int status = -1;
		pid_t child = fork();

		if (!child)
			_exit(send_page());
		if (child < 0 || waitpid(child, &status, 0) < 0)
			return -errno;
		if (status)
			return -EIO;
	}
	return 0;
}

static long setting(const char *file)
{
	char text[32] = "";

	proc_read(1, 0, file, text, sizeof(text));
	return atol(text);
}

static void play(void)
{
	long limit = setting("../sys/fs/pipe-user-pages-soft");
	struct actor *p;
	int64_t err;

	if (limit < BIG + ROOM || limit > 100 * BIG ||
	    setting("../sys/fs/pipe-max-size") < BIG * PAGE)
		skip("a user may have %ld buffers of pipes here", limit);

	step("P, of a user of its own, has pipes, nearly as many as it may");
	p = spawn("P");
	if (ask(leader(p), order_setuid, SOMEBODY, 0))
		broken("P cannot become user %d", SOMEBODY);
	err = ask(leader(p), order_fill, limit, 0);
	if (err)
		broken("P cannot have so many pipes: %lld", (long long)err);

	step("%d children of P send a page of a file, and end", SENDERS);
	expect_equal(ask(leader(p), order_senders, SENDERS, 0), 0,
		     "fork(), sendfile() and waitpid() in P",
		     "splice_direct_to_actor()");
	expect_equal(ask(leader(p), order_pipe_size, 0, 0), USUAL * PAGE,
		     "bytes in a new pipe of P",
		     "do_exit(): free_pipe_info() of the pipe that sendfile() has made");
}

SCENARIO(exit_splice) = {
	.name = "exit-splice",
	.summary =
		"the hidden pipe of a process that has called sendfile() ends with it",
	.needs = NEED_ROOT,
	.play = play,
};
