/* SPDX-License-Identifier: GPL-2.0 */
/* What the two verdicts on a parent share. */
#ifndef VERDICT_PARENT_H
#define VERDICT_PARENT_H

#include "../verdict.h"

/* Dead to the last thread, at both looks. */
bool unreaped(const struct patient *p);

/*
 * Its state, where it sleeps, what it does with SIGCHLD, its zombies and how many
 * processes there may be.
 */
void tell_parent(const struct patient *p, struct finding *f);

#endif
