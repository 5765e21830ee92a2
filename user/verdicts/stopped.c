// SPDX-License-Identifier: GPL-2.0
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	if (p->tasks[0].st.state != 'T' || !p->tasks[0].still)
		return false;
	line(&f->evidence,
	     "a stop signal has stopped it (T); SIGKILL ends it nevertheless");
	line(&f->helps, "kill -CONT %d", p->pid);
	return true;
}

VERDICT(stopped) = {
	.name = "stopped",
	.cause = "stopped by a signal",
	.rank = 160,
	.stuck = true,
	.has = has,
};
