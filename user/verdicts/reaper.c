// SPDX-License-Identifier: GPL-2.0
/* An init, of the machine or of a container, that does not wait. */
#include <signal.h>
#include <string.h>

#include "../core/out.h"
#include "../verdict.h"
#include "parent.h"

static bool has(const struct patient *p, struct finding *f)
{
	const char *last = strrchr(p->parent.st.nspid, '\t');

	if (!unreaped(p))
		return false;
	last = last ? last + 1 : p->parent.st.nspid;
	if (strcmp(last, "1") != 0)
		return false;
	tell_parent(p, f);
	line(&f->evidence,
	     "it is dead to the last thread, at both looks: who has adopted it does not reap");
	line(&f->helps,
	     "an init that reaps as process 1 of the container (tini, docker run --init)");
	line(&f->helps, "a restart of the container");
	line(&f->no_use, "kill -9 %d: it is dead", p->pid);
	return true;
}

VERDICT(reaper_does_not_reap) = {
	.name = "reaper-does-not-reap",
	.cause = "dead; process 1 of its pid name space does not reap it",
	.rank = 130,
	.stuck = true,
	.has = has,
};
