#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# root.sh SUITE [FLAVOUR]: print the cached kernel root of a Debian suite, made
# if it is not there: its kernel (cloud-amd64; or amd64, the generic one,
# or rt-amd64), headers, compiler; enough to chroot and build.
# Packages are unpacked and never configured, so no privilege is needed.
. "$(dirname "$0")/lib.sh"

[ $# -ge 1 ] || die "usage: root.sh SUITE [FLAVOUR] (bullseye, bookworm, trixie, forky)"
suite=$1 flavour=${2:-cloud-amd64}
case $suite in
bullseye|bookworm|trixie|forky|sid) ;;
*) die "unknown suite '$suite': take bullseye, bookworm, trixie, forky or sid" ;;
esac
packages=linux-image-$flavour,linux-headers-$flavour,gcc,make,libc6-dev
packages+=,bash,dash,coreutils,sed,grep,gawk,mawk,findutils,perl,diffutils,sparse

make_root() {
	need_space 900000
	say "making the kernel root of $suite, once, about half a minute"
	fetch "$1" "$suite" "$packages" "kernel root of $suite" || return
	rm -rf "$1"/usr/share/{doc,man,locale,info} "$1"/var/lib/apt/lists
	mkdir -p "$1/undead"
	ln -sf mawk "$1/usr/bin/awk"
	[ "$flavour" = cloud-amd64 ] ||	# virtme-ng wants it
		depmod -b "$1" "$(basename "$1"/lib/modules/*)"
}

make_once "root-$suite-${flavour%amd64}$(cksum <<<"1 $packages" | cut -d' ' -f1)" make_root
