# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by vm.sh: what goes into the initramfs, a folder $guest.

# add HOST GUEST: a file or folder, and the shared libraries of what is ELF
add() {
	mkdir -p "$guest/$(dirname "$2")"
	cp -rL "$1" "$guest/$2"
	[ -n "$busybox" ] || return 0	# others have their own
	# ldd says no to what is not ELF, or static, and that is fine.
	{ find "$1" -type f \( -perm /1 -o -name '*.so.*' \) -exec ldd {} + 2>/dev/null || :; } |
		{ grep -o '[[:space:]]/[^ ]*[^: ]' || :; } | sort -u |
		while read -r lib; do
			[ -e "$guest$lib" ] && continue
			mkdir -p "$guest${lib%/*}"
			cp -L "$lib" "$guest$lib"
		done
}

# The ports are in every initramfs of ours.
check_direct() {
	local option
	missing=''
	driver VIRTIO_PCI virtio_pci
	driver VIRTIO_CONSOLE virtio_console
	for option in DEVTMPFS BLK_DEV_INITRD SERIAL_8250_CONSOLE; do
		[ "$(option $option)" = y ] || missing+=" CONFIG_$option=y"
	done
	[ -z "$missing" ] || die "the kernel $release lacks what the VM needs:$missing"
}

# A small userland. What undead loads by itself ldd does not know.
add_busybox() {
	local libkmod
	mkdir -p "$guest"/{bin,sbin,usr/sbin,dev,proc,sys,tmp,run,root,etc}
	busybox --list | (cd "$guest/bin" && xargs -n 1 ln -sf busybox)
	cp --remove-destination "$(command -v busybox)" "$guest/bin/busybox"
	libkmod=$(ldconfig -p | sed -n 's/.*libkmod.so.2 (libc6,x86-64) => //p')
	[ -z "$libkmod" ] || add "$(readlink -f "$libkmod")" "$libkmod"
}

# driver OPTION MODULE: list MODULE and what it depends on, unless built in
driver() {
	case $(option "$1") in
	y) return ;;
	m) add_module "$2" ;;
	*) missing+=" CONFIG_$1" ;;
	esac
}

add_module() {
	local file name=$1 dep
	[ ! -e "$guest/undead/$name.ko" ] || return 0
	file=$(find "$modules/" -name "${name//_/[_-]}.ko*" -print -quit)
	[ -n "$file" ] || { missing+=" $name.ko"; return 0; }
	case $file in
	*.xz) xz -dc "$file" ;;
	*.zst) zstd -qdc "$file" ;;
	*.gz) gzip -dc "$file" ;;
	*) cat "$file" ;;
	esac >"$guest/undead/$name.ko"
	for dep in $(modinfo -F depends "$guest/undead/$name.ko" | tr , ' '); do
		add_module "$dep"
	done
	echo "/undead/$name.ko" >>"$guest/undead/drivers"
}

# The folder $share at /share: 9p where the kernel has it, for it is QEMU's own;
# else virtiofs, which the cloud kernels have.
add_share() {
	missing=''
	driver NET_9P_VIRTIO 9pnet_virtio
	driver 9P_FS 9p
	if [ -z "$missing" ]; then
		echo 9p >"$guest/undead/share"
		fs=(-virtfs "local,path=$share,mount_tag=share,security_model=none")
		return
	fi
	missing=''
	driver VIRTIO_FS virtiofs
	[ -z "$missing" ] ||
		die "the kernel $release cannot share a folder: it needs CONFIG_NET_9P_VIRTIO and CONFIG_9P_FS, or CONFIG_VIRTIO_FS"
	share_daemon
	echo virtiofs >"$guest/undead/share"
	fs=(-object "memory-backend-memfd,id=mem,size=${mem}M,share=on"
		-machine memory-backend=mem
		-device vhost-user-fs-pci,chardev=fs,tag=share)
}

# virtiofsd, of which there are two: the one of old QEMUs wants to be root.
share_daemon() {
	local daemon sandbox=chroot
	export SHARE=$share LOG=$artifacts/virtiofsd.log
	for daemon in virtiofsd /usr/libexec/virtiofsd; do
		command -v "$daemon" >/dev/null || continue
		[ "$(id -u)" = 0 ] || sandbox=none
		run+=(--fs "exec $daemon --fd=\$FD --shared-dir=\"\$SHARE\" --sandbox=$sandbox 2>\"\$LOG\"")
		return
	done
	daemon=/usr/lib/qemu/virtiofsd
	[ -x "$daemon" ] || die "virtiofsd is missing: install virtiofsd (Debian 12: qemu-system-common)"
	[ "$(id -u)" = 0 ] ||
		die "the kernel $release shares a folder by virtiofs, and this virtiofsd wants to be root: use sudo, a kernel with 9p (KDIR=), or Debian 13's virtiofsd"
	run+=(--fs "exec $daemon --fd=\$FD -o source=\"\$SHARE\" -o sandbox=$sandbox 2>\"\$LOG\"")
}
