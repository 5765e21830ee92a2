# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced: what kernel is meant. From $suite and $flavour (cloud-amd64 unless
# set; a suite with -rt after it: that flavour), or $kdir, find_kernel sets
#   release, image, config, modules (where its modules are),
#   root and build (a suite: its root, its build folder inside the root),
#   llvm (not empty: this tree is built with LLVM=1).

find_kernel() {
	root='' build='' llvm=''
	if [ -n "$kdir" ]; then
		find_kdir
		return
	fi
	case $suite in *-rt) flavour=rt-amd64 suite=${suite%-rt} ;; esac
	root=$("$top/scripts/root.sh" "$suite" "${flavour:=cloud-amd64}")
	modules=$(echo "$root"/lib/modules/*)
	release=${modules##*/}
	build=/usr/src/linux-headers-$release
	config=$root$build/.config
	image=$root/boot/vmlinuz-$release
	[ -e "$image" ] || image=$modules/vmlinuz
}

find_kdir() {
	[ -d "$kdir" ] || die "KDIR=$kdir: no such folder: name a built kernel tree"
	kdir=$(cd "$kdir" && pwd)
	[ -e "$kdir/Makefile" ] ||
		die "KDIR=$kdir is no kernel tree: name the folder where the kernel was built (with O=, the output folder)"
	config=$kdir/.config
	[ -e "$config" ] ||
		die "KDIR=$kdir has no .config: build that kernel first, or name its output folder if it was built with O="
	[ -e "$kdir/include/config/kernel.release" ] ||
		die "KDIR=$kdir is not built: run make in it first"
	release=$(cat "$kdir/include/config/kernel.release")
	image=$kdir/arch/x86/boot/bzImage
	modules=$kdir
}

option() { sed -n "s/^CONFIG_$1=//p" "$config"; }

# A tree may be fine to boot and no good to build a module for.
check_kdir() {
	[ "$(option MODULES)" = y ] ||
		die "KDIR=$kdir is a kernel without modules: set CONFIG_MODULES=y and build it again"
	[ "$(option MODULE_SIG_FORCE)" != y ] ||
		die "KDIR=$kdir takes only signed modules: unset CONFIG_MODULE_SIG_FORCE and build it again"
	[ "$(option MODVERSIONS)" != y ] || [ -s "$kdir/Module.symvers" ] ||
		die "KDIR=$kdir has CONFIG_MODVERSIONS and no Module.symvers: run make in it to the end"
	if [ "$(option CC_IS_CLANG)" = y ]; then
		llvm=1
		need clang clang
		need ld.lld lld
	fi
}

# How to get mounts of our own, in $ns.
find_namespace() {
	ns=(unshare -m)
	"${ns[@]}" true 2>/dev/null || ns=(unshare -rm)
	"${ns[@]}" true 2>/dev/null ||
		die "no right to mount here (an unprivileged container?): run on the host or in a privileged container, or build for a kernel tree with KDIR="
}

# chroot_run ROOT FOLDER COMMAND...: in ROOT, FOLDER at /undead. The mounts are
# in a name space of their own and end with it, however it ends.
chroot_run() {
	# shellcheck disable=SC2016
	"${ns[@]}" /bin/sh -c '
		cd "$1" && mount --rbind /proc proc && mount --rbind /dev dev &&
		mount --bind "$2" undead && shift 2 && exec env -i \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C chroot . "$@"' \
		sh "$@"
}
