#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# work-tree.sh [restore]: print a tree of the newest kernel that may be changed,
# base.config and built; it is made once. Whoever uses it holds $cache/tree.lock,
# and writes the files that it changes to TREE.changed before it does. restore:
# only put them back, as is done before anything else.
. "$(dirname "$0")/lib.sh"

source=$("$top/scripts/source.sh")
config=$top/scripts/base.config

make_tree() {
	for tool in bc bison flex gcc make; do need "$tool" "$tool"; done
	need_space 4000000
	cp -a "$source" "$1"
	make -s -C "$1" KCONFIG_ALLCONFIG="$config" allnoconfig
}

# They are newer than what was made of them.
restore() {
	local file
	rm -rf "$tree/.git"
	[ -e "$tree.changed" ] || return 0
	while read -r file; do
		rm -f "$tree/$file"
		[ ! -e "$source/$file" ] || cp "$source/$file" "$tree/$file"
	done <"$tree.changed"
	rm "$tree.changed"
}

tree=$(make_once "tree-$(cksum <"$config" | cut -d' ' -f1)" make_tree)
restore
if [ "${1:-}" != restore ]; then
	say "building $tree, 5 to 10 minutes if it is new"
	make -C "$tree" -j"$(nproc)" bzImage modules 2>&1 | progress "kernel" 1700 >"$tree.log" ||
		die "the kernel does not build: $tree.log"
fi
printf '%s\n' "$tree"
