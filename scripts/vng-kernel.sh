#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vng-kernel.sh: print the folder of a kernel that virtme-ng has configured and
# built, once, as anybody would with a tree of theirs: vng --build --config
# selftests/config, from the newest sources (scripts/source.sh).
. "$(dirname "$0")/lib.sh"
. "$top/scripts/vng.sh"

parts=("$top/selftests/config" "$top/scripts/vng.config")

make_kernel() {
	local tool lost log=$1.log
	for tool in bc bison flex gcc make; do need "$tool" "$tool"; done
	need_space 3000000
	say "vng --build, once, 10 to 40 minutes"
	find_vng
	rm -rf "$1"
	# Outside of the tree: the sources are shared.
	if ! (cd "$source" && vng --verbose --build --config "${parts[0]}" \
	      --config "${parts[1]}" "O=$1") 2>&1 | progress 'vng --build' 2750 >"$log"; then
		tail -n 3 "$log" >&2
		say "virtme-ng cannot build a kernel: $log"
		return 1
	fi
	lost=$(grep '^CONFIG_' "${parts[0]}" | grep -vxFf "$1/.config" | paste -sd' ') || :
	[ -z "$lost" ] || die "that kernel does not take $lost: see ${parts[0]}"
	# Where it was built is in there.
	sed -i "s|$1|${1%.tmp}|" "$1/Makefile"
	rm -f "$log"
}

source=$("$top/scripts/source.sh")
make_once "vng-kernel-$(cat "${parts[@]}" | cksum | cut -d' ' -f1)" make_kernel
