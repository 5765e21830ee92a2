// SPDX-License-Identifier: GPL-2.0
/* An init, of the machine or of a container, or a subreaper, does not wait. */
#include "parent.h"

static bool has(const struct patient *p, struct finding *f)
{
	if (!unreaped(p) || !p->parent.st.pid ||
	    !(is_init(&p->parent.st) || p->adopted))
		return false;
	tell_parent(p, f);
	line(&f->evidence,
	     "it is dead to the last thread, at both looks: who has adopted it does not reap");
	if (is_init(&p->parent.st)) {
		line(&f->helps, "a restart of the container");
		line(&f->helps,
		     "then, for good: an init that reaps as its process 1 (tini, docker run --init)");
	} else {
		line(&f->helps,
		     "mend %d, or restart it: its zombies are then adopted and reaped by init",
		     p->parent.st.pid);
	}
	line(&f->no_use, "kill -9 %d: it is dead", p->pid);
	return true;
}

VERDICT(reaper_does_not_reap) = {
	.name = "reaper-does-not-reap",
	.cause = "dead; who has adopted it (an init or subreaper) does not reap it",
	.rank = 130,
	.stuck = true,
	.has = has,
};
