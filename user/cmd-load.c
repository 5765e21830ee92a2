// SPDX-License-Identifier: GPL-2.0
/*
 * load and unload: libkmod, and what people want to know when it fails.
 *
 * libkmod is loaded here and not linked: it brings libcrypto and two
 * compressors along, and every actor would be forked with their mappings (a
 * sixth of the time of a reproduction); and the rest of the tool has to run
 * where there is no libkmod.
 */
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <libkmod.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "command.h"

#define MODULE "undead"

/* clang-format off */
#define FUNCTIONS(F)							\
	F(kmod_new) F(kmod_unref) F(kmod_set_log_priority)		\
	F(kmod_module_unref) F(kmod_module_new_from_path)		\
	F(kmod_module_new_from_name) F(kmod_module_get_info)		\
	F(kmod_module_info_get_key) F(kmod_module_info_get_value)	\
	F(kmod_module_info_free_list) F(kmod_list_next)			\
	F(kmod_module_insert_module) F(kmod_module_remove_module)	\
	F(kmod_module_get_path) F(kmod_module_get_initstate)

#define DECLARE(f)	static __typeof__(f) *p_##f;
FUNCTIONS(DECLARE)

static bool find_functions(const struct command *c)
{
	void *lib = dlopen("libkmod.so.2", RTLD_NOW);

#define FIND(f)	p_##f = lib ? dlsym(lib, #f) : NULL;
	FUNCTIONS(FIND)
#define FOUND(f) && p_##f
	if (lib FUNCTIONS(FOUND))
		return true;
	complain(c, "libkmod.so.2 is not there: apt-get install libkmod2, or use insmod and rmmod");
	return false;
}

/* clang-format on */

static void unref_ctx(struct kmod_ctx **ctx)
{
	if (*ctx)
		p_kmod_unref(*ctx);
}

static void unref_module(struct kmod_module **m)
{
	if (*m)
		p_kmod_module_unref(*m);
}

#define _cleanup_ctx_  __attribute__((cleanup(unref_ctx)))
#define _cleanup_kmod_ __attribute__((cleanup(unref_module)))

static struct kmod_ctx *new_context(void)
{
	static const char *const no_config;
	struct kmod_ctx *ctx = p_kmod_new(NULL, &no_config);

	/* We say ourselves what is wrong. */
	if (ctx)
		p_kmod_set_log_priority(ctx, 0);
	return ctx;
}

/* First word of the module's vermagic: the kernel it was built for. */
static void built_for(struct kmod_module *m, char *release, size_t size)
{
	struct kmod_list *info = NULL, *i;

	snprintf(release, size, "?");
	if (p_kmod_module_get_info(m, &info) < 0)
		return;
	for (i = info; i; i = p_kmod_list_next(info, i)) {
		if (strcmp(p_kmod_module_info_get_key(i), "vermagic"))
			continue;
		snprintf(release, size, "%s", p_kmod_module_info_get_value(i));
		release[strcspn(release, " ")] = '\0';
	}
	p_kmod_module_info_free_list(info);
}

static int explain_load(struct kmod_module *m, const char *path, int err)
{
	char release[128];
	struct utsname u;

	uname(&u);
	built_for(m, release, sizeof(release));
	switch (-err) {
	case EEXIST:
		complain(&cmd_load,
			 "the module is loaded already; 'undead status' shows it");
		return 0;
	case EPERM:
		complain(&cmd_load,
			 "not permitted: use sudo; if you are root, the kernel is locked down (Secure Boot) or modules are disabled: use 'make vm'");
		break;
	case EKEYREJECTED:
		complain(&cmd_load,
			 "this kernel takes signed modules only: sign it, or use 'make vm'");
		break;
	case ENOENT:
		complain(&cmd_load,
			 "there is no module at %s for Linux %s: build it with 'make module', or use 'make vm'",
			 path, u.release);
		break;
	case ENOEXEC:
	case EINVAL:
		if (!strcmp(release, u.release))
			complain(&cmd_load,
				 "the kernel refuses %s or its parameters: dmesg says why",
				 path);
		else if (!strcmp(release, "?"))
			complain(&cmd_load,
				 "%s is no kernel module: build one with 'make module'",
				 path);
		else
			complain(&cmd_load,
				 "%s is for Linux %s, this is Linux %s: rebuild it here with 'make module'",
				 path, release, u.release);
		break;
	case ENOSYS:
		complain(&cmd_load,
			 "this kernel loads no modules: use 'make vm'");
		break;
	default:
		complain(&cmd_load,
			 "cannot load %s (for Linux %s, this is %s): %s; see dmesg",
			 path, release, u.release, strerror(-err));
	}
	return STATUS_BROKEN;
}

static int load_file(const char *path, const char *params)
{
	_cleanup_ctx_ struct kmod_ctx *ctx = new_context();
	_cleanup_kmod_ struct kmod_module *m = NULL;
	int err;

	if (!ctx)
		return STATUS_BROKEN;
	err = p_kmod_module_new_from_path(ctx, path, &m);
	if (!err)
		err = p_kmod_module_insert_module(m, 0, params);
	return err ? explain_load(m, path, err) : 0;
}

static int load_installed(const char *params)
{
	_cleanup_ctx_ struct kmod_ctx *ctx = new_context();
	_cleanup_kmod_ struct kmod_module *m = NULL;
	const char *path;
	int err;

	if (!ctx)
		return STATUS_BROKEN;
	err = p_kmod_module_new_from_name(ctx, MODULE, &m);
	if (err)
		return explain_load(m, MODULE, err);
	if (p_kmod_module_get_initstate(m) >= 0)
		return explain_load(m, MODULE, -EEXIST);
	path = p_kmod_module_get_path(m);
	if (!path)
		return explain_load(m, "/lib/modules", -ENOENT);
	err = p_kmod_module_insert_module(m, 0, params);
	return err ? explain_load(m, path, err) : 0;
}

/* "a=1 b=2" from the arguments that follow the options. */
static int join(char **argv, char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	for (; *argv; argv++) {
		int r = snprintf(out + n, size - n, "%s%s", n ? " " : "",
				 *argv);

		if (!strchr(*argv, '=') || r < 0 || (size_t)r >= size - n)
			return -EINVAL;
		n += (size_t)r;
	}
	return 0;
}

static int load(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP },
		{ "module", required_argument, NULL, OPT_OWN },
		{ 0 }
	};
	const char *path = NULL;
	char params[512];
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPT_HELP:
			fputs(cmd_load.help, stdout);
			return 0;
		case OPT_OWN:
			path = optarg;
			break;
		default:
			return bad_option(&cmd_load, argv);
		}
	}
	if (join(argv + optind, params, sizeof(params)))
		return usage_error(&cmd_load,
				   "parameters are NAME=VALUE; a file goes after --module");
	if (!find_functions(&cmd_load))
		return STATUS_BROKEN;
	return path ? load_file(path, params) : load_installed(params);
}

static int unload_module(void)
{
	_cleanup_ctx_ struct kmod_ctx *ctx = new_context();
	_cleanup_kmod_ struct kmod_module *m = NULL;
	int err;

	if (!ctx)
		return STATUS_BROKEN;
	err = p_kmod_module_new_from_name(ctx, MODULE, &m);
	/* Without O_NONBLOCK some kernels would wait for the last user. */
	if (!err)
		err = p_kmod_module_remove_module(m, KMOD_REMOVE_NOWAIT);
	switch (-err) {
	case 0:
		return 0;
	case ENOENT:
		complain(&cmd_unload, "the module is not loaded");
		return 0;
	case EAGAIN:
	case EBUSY:
		complain(&cmd_unload,
			 "the module is in use: somebody has /dev/undead or a gate open, or is held ('undead status'; 'undead release --all' lets go)");
		return 1;
	case EPERM:
		complain(&cmd_unload, "not permitted: use sudo");
		return STATUS_BROKEN;
	default:
		complain(&cmd_unload, "cannot unload: %s", strerror(-err));
		return STATUS_BROKEN;
	}
}

static int unload(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP }, { 0 }
	};
	int c;

	opterr = 0;
	c = getopt_long(argc, argv, "h", options, NULL);
	if (c == OPT_HELP) {
		fputs(cmd_unload.help, stdout);
		return 0;
	}
	if (c >= 0)
		return bad_option(&cmd_unload, argv);
	if (optind < argc)
		return usage_error(&cmd_unload, "'%s' is one argument too many",
				   argv[optind]);
	return find_functions(&cmd_unload) ? unload_module() : STATUS_BROKEN;
}

const struct command cmd_load = {
	.name = "load",
	.summary = "load the module",
	.help = "Usage: undead load [--module FILE] [PARAMETER=VALUE...]\n\n"
		"Loads undead.ko from FILE, or the one installed for this kernel.\n\n"
		"Parameters: deadline_ms, max_deadline_ms, max_gates, max_holds, unbounded\n"
		"('modinfo undead' describes them).\n\n"
		"Examples:\n"
		"  sudo undead load\n"
		"  sudo undead load --module ./undead.ko deadline_ms=30000\n\n"
		"Exit status: 0 loaded, or was already; 2 wrong usage; 3 it cannot be.\n",
	.run = load,
};

const struct command cmd_unload = {
	.name = "unload",
	.summary = "unload the module",
	.help = "Usage: undead unload\n\n"
		"Unloads the module; refused at once while anything of it is in use.\n\n"
		"Example:\n"
		"  sudo undead unload\n\n"
		"Exit status: 0 unloaded, or was not loaded; 1 in use; 2 wrong usage; 3 it\n"
		"cannot be.\n",
	.run = unload,
};
