/* SPDX-License-Identifier: GPL-2.0 */
/* What the doctor says of one process, as text and as JSON. */
#ifndef UNDEAD_ANSWER_H
#define UNDEAD_ANSWER_H

#include <jansson.h>
#include <stdio.h>

#include "doctor.h"

/**
 * answer_text() - some lines
 * answer_json() - an object
 * @v: NULL: no cause that is known
 * @f: what judge() has filled
 */
void answer_text(FILE *to, const struct patient *p, const struct verdict *v,
		 const struct finding *f);
json_t *answer_json(const struct patient *p, const struct verdict *v,
		    const struct finding *f);

#endif
