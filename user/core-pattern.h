/* SPDX-License-Identifier: GPL-2.0 */
/* Where the machine's core dumps go while a story lasts. */
#ifndef UNDEAD_CORE_PATTERN_H
#define UNDEAD_CORE_PATTERN_H

/**
 * core_pattern() - set it; at the end of the story it is what it was
 * @pattern: as in core(5), up to 127 bytes
 *
 * The dumps wait for the end of four helpers at most (core_pipe_limit).
 */
void core_pattern(const char *pattern);

#endif
