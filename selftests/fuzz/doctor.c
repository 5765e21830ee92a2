// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer's target for what reads hostile text: 'undead why --from' as text, as
 * JSON and with --drgn when it begins as a snapshot does, and the parsers of
 * status and stat. Of what is printed each byte has to be printable ASCII, and
 * the JSON has to be JSON.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command.h"
#include "core/out.h"
#include "core/proc.h"
#include "core/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void why(const char *option, const char *path)
{
	char *argv[] = { "why", "--from", (char *)path, (char *)option, NULL };
	char *said = NULL, *complaint = NULL;
	FILE *out = stdout, *err = stderr;
	size_t said_size, complaint_size;
	int status;

	stdout = open_memstream(&said, &said_size);
	stderr = open_memstream(&complaint, &complaint_size);
	optind = 0;
	status = cmd_why.run(option ? 4 : 3, argv);
	fclose(stdout);
	fclose(stderr);
	stdout = out;
	stderr = err;
	if (status < 0 || status > 3 || status == 2)
		abort();
	for (size_t i = 0; i < said_size; i++)
		if (said[i] != '\n' && said[i] != '\t' &&
		    (said[i] < ' ' || said[i] > '~'))
			abort();
	if (option && !strcmp(option, "--json")) {
		json_t *json = json_loads(said, 0, NULL);

		if (!json)
			abort();
		json_decref(json);
	}
	free(said);
	free(complaint);
}

static void from_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("snapshot", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	why(NULL, path);
	why("--json", path);
	why("--drgn", path);
	close(fd);
}

static void parsers(const char *text)
{
	struct proc_status st;
	struct glance g;
	char safe[256];
	uint64_t n;
	int64_t field;

	if (!proc_status_parse(text, &st))
		out_safe(safe, sizeof(safe), st.name);
	glance_parse(text, true, &g);
	glance_parse(text, false, &g);
	for (int i = 4; i < 54; i += 7)
		proc_stat_parse(text, i, &field);
	parse_duration(text, &n);
	parse_number(text, INT64_MAX, &n);
	out_safe(safe, sizeof(safe), text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size > 13 && !memcmp(data, "proc-snapshot", 13)) {
		from_file(data, size);
		return 0;
	}
	text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	parsers(text);
	free(text);
	return 0;
}
