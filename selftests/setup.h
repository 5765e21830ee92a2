/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every test program begins with this (see the Makefile): installed with the
 * tool and the module beside it, it uses them; in our VM they are there.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void __attribute__((constructor)) setup(void)
{
	char here[2048], text[8192];
	int fd;

	if (access("test_modules/undead.ko", R_OK) ||
	    !getcwd(here, sizeof(here)))
		return;
	snprintf(text, sizeof(text), "%s:%s", here, getenv("PATH"));
	setenv("PATH", text, 1);
	snprintf(text, sizeof(text), "%s/test_modules/undead.ko", here);
	setenv("UNDEAD_MODULE", text, 1);
	if (!access("/dev/undead", F_OK))
		return;
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (syscall(SYS_finit_module, fd, "", 0))
		perror(text); /* and every test says that it needs it */
	close(fd);
}
