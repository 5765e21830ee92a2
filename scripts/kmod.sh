#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kmod.sh [--suite SUITE [--flavour F] | --kdir DIR] [MAKE-ARGUMENT...]: build
# undead.ko for a suite's kernel (inside its root) or for a built kernel tree, in
# build/kmod/RELEASE/, and print its path. A warning is an error.
# UNDEAD_BREAK=WHAT builds a module without something, for the test that must
# miss it (see Kbuild), in build/kmod/RELEASE-WHAT/; UNDEAD_GCOV=1 one that counts
# the lines that ran, for kernels with CONFIG_GCOV_KERNEL, in RELEASE-gcov/.
. "$(dirname "$0")/lib.sh"
. "$top/scripts/kernel.sh"

suite=trixie kdir=
while [ $# -gt 0 ]; do
	case $1 in
	--suite) suite=${2:?--suite wants a name}; shift 2 ;;
	--flavour) flavour=${2:?--flavour wants a name}; shift 2 ;;
	--kdir) kdir=${2:?--kdir wants a folder}; shift 2 ;;
	*) break ;;
	esac
done
find_kernel
if [ -n "$kdir" ]; then check_kdir; else find_namespace; fi

# The sources are copied, for old kernels build where the sources are.
out=$top/build/kmod/$release${UNDEAD_BREAK:+-$UNDEAD_BREAK}${UNDEAD_GCOV:+-gcov}
mkdir -p "$out/kmod"
exec {lock}>"$out.lock"
flock "$lock"
for file in "$out"/kmod/*.[ch]; do
	[ -e "$top/kmod/${file##*/}" ] || rm -f "$file"
done
cp -pur "$top/Kbuild" "$top/kmod" "$out"

args=(-j"$(nproc)" W=1 KCFLAGS=-Werror "UNDEAD_BREAK=${UNDEAD_BREAK:-}"
	"UNDEAD_GCOV=${UNDEAD_GCOV:-}" modules "$@")
log=$out/build.log
if [ -n "$kdir" ]; then
	make -C "$kdir" M="$out" ${llvm:+LLVM=1} "${args[@]}" >"$log" 2>&1 && status=0 || status=$?
else
	chroot_run "$root" "$out" make -C "$build" M=/undead "${args[@]}" >"$log" 2>&1 && status=0 || status=$?
fi
# What the compiler does not see: modpost and objtool only warn.
grep -iE 'warning:|error:|fatal' "$log" |
	grep -vE 'the compiler differs|Skipping BTF' >"$log.short" || :
if [ "$status" -ne 0 ] || [ -s "$log.short" ]; then
	cat "$log.short" >&2
	die "undead.ko does not build cleanly for $release: the whole output is $log"
fi
printf '%s\n' "$out/undead.ko"
