#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# build-kernel.sh NAME: print the folder of a kernel built once from the newest
# sources (scripts/source.sh) with this machine's compiler: allnoconfig,
# base.config and NAME.config. For
#   debug    KASAN, PROVE_LOCKING, DEBUG_ATOMIC_SLEEP, KMEMLEAK, fault injection
#   kcsan    data races are told of
#   gcov     the files of selftests/kernel/functions count their branches
#   mutants  they have all mutants in them (selftests/kernel/mutate.c)
. "$(dirname "$0")/lib.sh"

name=${1:?build-kernel.sh NAME}
kernel=$top/selftests/kernel
parts=("$top/scripts/base.config" "$top/scripts/$name.config")
[ -e "${parts[1]}" ] || die "there is no scripts/$name.config"
mapfile -t objects < <(awk '!/^#/ { sub(/c$/, "o", $2); print $2 }' "$kernel/functions" | sort -u)
args=() lines=1700
case $name in
debug) lines=2500 ;;
gcov)
	for object in "${objects[@]}"; do args+=("GCOV_PROFILE_${object##*/}=y"); done ;;
mutants)
	parts+=("$kernel"/{functions,not-calls,mutants.h,undead_mutants.c})
	args+=("$(grep '^#define MUTATIONS' "$kernel/mutate.c")") ;;
esac

# Before a file can be changed it has to be known how it is compiled.
put_mutants() {
	make -s -C "$1" -j"$(nproc)" "${objects[@]}" || return
	make -s -C "$top" build/mutate &&
		"$top/build/mutate" "$1" "$kernel/functions" "$kernel/not-calls" >"$1/mutants.list" || return
	cp "$kernel/mutants.h" "$1/include/linux/undead_mutants.h"
	cp "$kernel/undead_mutants.c" "$1/kernel/"
	cp --remove-destination "$source/kernel/Makefile" "$1/kernel/Makefile"
	echo 'obj-y += undead_mutants.o' >>"$1/kernel/Makefile"
}

build() {
	if [ "$name" = mutants ]; then
		put_mutants "$1" || return
		args=()
	fi
	make -C "$1" -j"$(nproc)" "${args[@]}" bzImage modules
}

make_kernel() {
	local lost log=$1.log config=$1.config
	for tool in bc bison flex gcc make; do need "$tool" "$tool"; done
	need_space 3000000
	say "building the kernel '$name', once, 5 to 25 minutes"
	# What is built is new files; the sources are shared.
	rm -rf "$1"
	cp -al "$source" "$1"
	cat "${parts[@]:0:2}" >"$config"
	make -s -C "$1" KCONFIG_ALLCONFIG="$config" allnoconfig >&2
	lost=$(grep '^CONFIG_' "$config" | grep -vxFf "$1/.config" | paste -sd' ') || :
	rm "$config"
	if [ -n "$lost" ]; then
		say "the kernel '$name' does not take $lost: see ${parts[1]}"
		return 1
	fi
	if ! build "$1" 2>&1 | progress "$name kernel" "$lines" >"$log"; then
		tail -n 3 "$log" >&2
		say "the kernel '$name' does not build: $log"
		return 1
	fi
	rm "$log"
}

source=$("$top/scripts/source.sh")
make_once "kernel-$name-$({ cat "${parts[@]}"; echo "${args[@]}"; } | cksum | cut -d' ' -f1)" make_kernel
