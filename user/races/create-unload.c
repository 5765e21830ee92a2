// SPDX-License-Identifier: GPL-2.0
/*
 * The device is opened and a gate made while the module is unloaded: one of them
 * does it, for try_module_get() of an open and try_stop_module() of the unload
 * go by the same count. A gate that was made works; else there is no device.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "device.h"

enum { CREATOR, UNLOADER };
enum { CREATED, UNLOADED };

static int ctl, gate, unloaded;
static const char *module;

static void setup(struct round *r)
{
	module = getenv("UNDEAD_MODULE");
	if (!module || access(module, R_OK))
		race_skip(r, "UNDEAD_MODULE names no module to load again");
	close(race_device(r));
}

static void load(struct round *r)
{
	int fd = open(module, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
		race_broken(r, "cannot load %s: %m", module);
	close(fd);
}

static void create(struct round *r, int side)
{
	(void)side;
	ctl = dev_open();
	gate = ctl < 0 ? ctl :
			 dev_gate(ctl, 1U << UNDEAD_POINT_READ,
				  UNDEAD_KIND_UNINTERRUPTIBLE, LONG_MS, NULL);
	if (gate >= 0)
		race_took(r, CREATED);
}

static void unload(struct round *r, int side)
{
	(void)side;
	unloaded = syscall(SYS_delete_module, "undead", O_NONBLOCK) ? -errno :
								      1;
	if (unloaded == 1)
		race_took(r, UNLOADED);
}

static void use(struct round *r)
{
	const struct undead_counters none = { 0 };
	char byte;

	race_check(r, dev_gate_open(gate, 0) == 0 && !read(gate, &byte, 1),
		   "the gate that was made opens, and read() passes");
	race_adds_up(r, gate, &none, 1);
	close(gate);
	close(ctl);
}

static void finish(struct round *r)
{
	if (gate >= 0) {
		race_check(r, unloaded == -EWOULDBLOCK,
			   "try_stop_module(): EWOULDBLOCK while it is in use; got %d",
			   unloaded);
		use(r);
		return;
	}
	race_check(r, unloaded == 1,
		   "neither: the gate got error %d, the unload %d", -gate,
		   unloaded);
	load(r);
}

RACE(create_unload) = {
	.name = "create-unload",
	.summary = "a gate is made while the module is unloaded",
	.needs = NEED_DEVICE | NEED_VM,
	.outcomes = { "created", "unloaded" },
	.sides = { { "creator", create, 1 }, { "unloader", unload, 1 } },
	.forced = { [CREATED] = GOES_FIRST(CREATOR),
		    [UNLOADED] = GOES_FIRST(UNLOADER) },
	.setup = setup,
	.finish = finish,
};
