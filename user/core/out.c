// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "out.h"

const char *outcome_name(enum outcome o)
{
	static const char *const names[OUTCOMES] = {
		[OUTCOME_PASS] = "PASS",
		[OUTCOME_FAIL] = "FAIL",
		[OUTCOME_BROKEN] = "BROKEN",
		[OUTCOME_SKIP] = "SKIP",
	};

	return names[o];
}

char *out_safe(char *dst, size_t size, const char *src)
{
	size_t n = 0;

	for (; *src && n + 5 <= size; src++) {
		unsigned char c = (unsigned char)*src;

		if (c < 0x80 && isprint(c) && c != '\\')
			dst[n++] = *src;
		else
			n += (size_t)snprintf(dst + n, size - n, "\\x%02x", c);
	}
	dst[n] = '\0';
	return dst;
}

int out_colour(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no);
}
