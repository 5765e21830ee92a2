// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of a machine that is to panic: its leader ends by SYS_exit(3), which
 * must do nothing, and then its last thread by SYS_exit(5), which must.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int leader_is_zombie(void)
{
	char text[256] = "";
	int fd = open("/proc/1/status", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 0 && strstr(text, "State:\tZ");
}

static void *last(void *arg)
{
	(void)arg;
	while (!leader_is_zombie())
		;
	syscall(SYS_exit, 5);
	return NULL;
}

int main(void)
{
	pthread_t thread;

	mkdir("/proc", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) ||
	    pthread_create(&thread, NULL, last, NULL))
		return 1;
	syscall(SYS_exit, 3);
	return 1;
}
