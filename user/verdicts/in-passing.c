// SPDX-License-Identifier: GPL-2.0
/* Every process is a zombie for an instant, and a leader that another thread's
 * exec replaces looks like one.
 */
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	const struct task *l = &p->tasks[0];

	if (p->gone) {
		line(&f->evidence,
		     "at the first look it was %c; at the second it is gone",
		     l->st.state);
		return true;
	}
	if (l->still || (l->st.state != 'Z' && l->st.state != 'D'))
		return false;
	line(&f->evidence, "at the first look it was in another state");
	line(&f->helps, "look again");
	return true;
}

VERDICT(in_passing) = {
	.name = "in-passing",
	.cause = "seen in passing: it changed between two looks",
	.rank = 10,
	.has = has,
};
