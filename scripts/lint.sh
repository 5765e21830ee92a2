#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# lint.sh CHECK: one linter over what git tracks; silent and 0, or findings.
. "$(dirname "$0")/lib.sh"
cd "$top"
trap - ERR

# What checkpatch asks of code in the kernel only, and layout, which is
# clang-format's (a message stays on one line, to be found by grep).
user_code=PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,BIT_MACRO,ARRAY_SIZE
user_code+=,NAKED_SSCANF,SSCANF_TO_KSTRTO,STRCPY,ENOSYS,EMBEDDED_FUNCTION_NAME
user_code+=,CAMELCASE,REPEATED_WORD,STATIC_CONST_CHAR_ARRAY,VOLATILE,SPACING
user_code+=,COMPLEX_MACRO,MULTISTATEMENT_MACRO_USE_DO_WHILE,TRAILING_SEMICOLON
# It takes two declarations with a cleanup attribute for code.
user_code+=,MACRO_ARG_REUSE,MACRO_WITH_FLOW_CONTROL,LINE_SPACING
layout=LONG_LINE,LONG_LINE_STRING,PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE,LEADING_SPACE

c_files() { git ls-files -- "${@/%//*.c}" "${@/%//*.h}"; }
# Those that are run; the sourced ones are read along.
shell_files() { git ls-files -- '*.sh' .ci/run | xargs grep -l '^#!'; }

# checkpatch IGNORED FILE...
checkpatch() {
	local tool
	tool=$(scripts/ksrc.sh)/scripts/checkpatch.pl
	perl "$tool" --no-tree --strict --terse --quiet --no-summary --show-types \
		--ignore "$layout,$1" -f "${@:2}"
}

# none PATTERN WHAT FILE...: no line of these files has PATTERN
none() {
	! grep -nHE -- "$1" "${@:3}" || { say "$2"; exit 1; }
}

case ${1:-} in
checkpatch)
	status=0
	mapfile -t kmod < <(c_files kmod | grep -v -e compat.h -e uapi)
	checkpatch NONE "${kmod[@]}" || status=1
	checkpatch LINUX_VERSION_CODE,CONSTANT_COMPARISON kmod/compat.h || status=1
	checkpatch BIT_MACRO kmod/uapi/linux/undead.h || status=1
	mapfile -t user < <(c_files user selftests scripts docs)
	checkpatch "$user_code" "${user[@]}" || status=1
	exit "$status"
	;;
sparse)
	scripts/kmod.sh C=2 CHECK=sparse >/dev/null ;;
# The macros of trace.h have a layout of their own.
clang-format)
	c_files kmod user selftests scripts docs | grep -v trace.h | xargs clang-format --dry-run -Werror ;;
format)
	c_files kmod user selftests scripts docs | grep -v trace.h | xargs clang-format -i ;;
shellcheck)
	shell_files | xargs shellcheck ;;
# A section of the linker is one object, which cppcheck cannot know.
cppcheck)
	c_files user selftests scripts docs | xargs cppcheck --quiet --error-exitcode=1 \
		--std=c11 --enable=warning,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=comparePointers -D_GNU_SOURCE -Ikmod/uapi -Iuser 2>&1 ;;
lists)
	mapfile -t user < <(c_files user selftests | grep -v '^user/core/')
	none '\<(usleep|nanosleep|sleep)\(' 'await a state instead of sleeping' "${user[@]}"
	mapfile -t code < <(c_files kmod user | grep -v '^kmod/compat.h')
	none 'LINUX_VERSION_CODE|KERNEL_VERSION\(' 'kernel versions are for kmod/compat.h' "${code[@]}"
	mapfile -t doctor < <(c_files user/verdicts; ls user/core/{proc,snap,reader,cgroup}.[ch] user/{doctor,finding,look*,verdict}.[ch])
	none '[Uu]ndead|UNDEAD' 'the doctor knows nothing of our module' "${doctor[@]}"
	mapfile -t all < <(git ls-files)
	# shellcheck disable=SC2016
	hosts=$(apt-get indextargets --format '$(SITE)' | sed 's#.*//##; s#/.*##' | sort -u | paste -sd'|')
	[ -z "$hosts" ] || none "${hosts//./\\.}" 'a package mirror is named: take it from apt' "${all[@]}"
	none "$top/" 'this checkout is named by its absolute path' "${all[@]}"
	;;
*)	die "usage: lint.sh checkpatch|sparse|clang-format|format|shellcheck|cppcheck|lists" ;;
esac
