#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# systemd.sh SUITE: print the cached initramfs of a suite's own userland with
# systemd as PID 1, which runs our init as its one service and powers off.
. "$(dirname "$0")/lib.sh"

suite=$1
packages=systemd,systemd-sysv,base-files,bash,coreutils,dash,findutils,grep,login
packages+=,mount,ncurses-base,procps,sed,tar,util-linux,libjansson4,libkmod2,libtraceevent1

make_userland() {
	local tree=$1.tree
	need cpio cpio
	need_space 300000
	say "making the systemd userland of $suite, once, about 10 s"
	fetch "$tree" "$suite" "$packages" "systemd userland of $suite" || return
	rm -rf "$tree"/usr/share/{doc,man,locale,info} "$tree"/var/lib/apt
	echo root:x:0:0:root:/root:/bin/sh >"$tree/etc/passwd"
	echo root:x:0: >"$tree/etc/group"
	: >"$tree/etc/machine-id"
	cat >"$tree/etc/systemd/system/undead.service" <<'END'
[Unit]
Description=the command of scripts/vm.sh
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/undead/init
StandardOutput=journal+console
END
	(cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet) >"$1"
	rm -rf "$tree"
}

make_once "systemd-$suite-$(cksum <"$0" | cut -d' ' -f1)" make_userland
