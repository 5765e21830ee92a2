#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run a command as root in a throw-away VM; without one, a shell.
usage() {
	cat <<'END'
usage: scripts/vm.sh [OPTION...] [--] [COMMAND...]
  --suite S        the cloud kernel of bullseye, bookworm, trixie (default),
                   forky or sid; trixie-rt: its PREEMPT_RT kernel
  --kdir DIR       any built kernel tree instead
  --share DIR      readable and writable in the guest at /share
  --vng            under virtme-ng, on the suite's generic kernel; the guest has
                   this machine's files, read-only
  --systemd        the suite's own userland with systemd as PID 1, not busybox
  --add HOST[:GUEST]  a file or folder to take along; may be repeated
  --driver NAME    a module of that kernel to load, if it is one; may be repeated
  --no-module      do not build and load undead.ko
  --timeout S      deadline for the whole run (120)
  --keep           leave the VM up after the command, until Ctrl-C
  --gdb            QEMU's gdb stub, and how to attach
  --append ARGS    more kernel arguments
  --accel kvm|tcg  not what a short probe finds (kept until the next boot)
  --mem MB, --cpus N  (512, 2)
  --artifacts DIR  where the console log goes, and what the command puts into
                   $UNDEAD_ARTIFACTS (build/artifacts/TIME-PID)
Exit status: that of the command (128+n: killed by signal n), or
  124 the deadline, 125 our own set-up failed, 126 the guest crashed,
  77 the suite is gone from the mirror,
each with one line on stderr that begins with "vm:".
END
}
. "$(dirname "$0")/lib.sh"
. "$top/scripts/kernel.sh"

suite=trixie kdir='' share='' module=1 timeout=120 append='' mem=512 cpus=2
artifacts='' accel='' flavour=cloud-amd64 vng='' systemd='' userland='' busybox='' adds=() drivers=() run=() gdb=()
while [ $# -gt 0 ]; do
	case $1 in
	--suite|--kdir|--share|--add|--driver|--timeout|--append|--accel|--mem|--cpus|--artifacts)
		[ $# -ge 2 ] || die "$1 wants a value (see --help)" ;;&
	--suite) suite=$2; shift ;;
	--kdir) kdir=$2; shift ;;
	--share) share=$2; shift ;;
	--add) adds+=("$2"); shift ;;
	--driver) drivers+=("$2"); shift ;;
	--timeout) timeout=$2; shift ;;
	--append) append=$2; shift ;;
	--accel) accel=$2; shift ;;
	--mem) mem=$2; shift ;;
	--cpus) cpus=$2; shift ;;
	--artifacts) artifacts=$2; shift ;;
	--no-module) module='' ;;
	--vng) vng=1 flavour=amd64 ;;
	--systemd) systemd=1 mem=1024 ;;
	--keep) run+=(--keep) ;;
	--gdb) gdb=(-gdb chardev:gdb) ;;
	-h|--help) usage; exit ;;
	--) shift; break ;;
	-*) die "unknown option $1 (see --help)" ;;
	*) break ;;
	esac
	shift
done

need qemu-system-x86_64 qemu-system-x86
need busybox busybox-static
need cpio cpio
need modinfo kmod
[ -z "$share" ] || [ -d "$share" ] || die "--share $share: no such folder"
[ -z "$share" ] || share=$(cd "$share" && pwd)

find_kernel
[ -e "$image" ] || die "$image is missing: build that kernel to the end"
ko=''
if [ -n "$module" ]; then
	ko=$("$top/scripts/kmod.sh" ${kdir:+--kdir "$kdir"} --suite "$suite" --flavour "$flavour")
fi
[ -z "$systemd" ] || userland=$("$top/scripts/systemd.sh" "$suite")
make -s -C "$top" build/guest-init build/vmrun >&2

# A device node says nothing: KVM is what has booted a guest once.
probe_kvm() {
	say "trying KVM, once until the next boot of this machine: 15 s at most"
	if "$0" --no-module --accel kvm --timeout 15 --suite "$suite" \
	     ${kdir:+--kdir "$kdir"} -- true 2>/dev/null; then
		echo kvm >"$1"
	else
		echo "tcg, /dev/kvm boots no guest here" >"$1"
	fi
}

if [ -z "$accel" ] && [ -w /dev/kvm ]; then
	boot=$(cat /proc/sys/kernel/random/boot_id)
	accel=$(cat "$(make_once "kvm-$boot" probe_kvm)")
fi
# QEMU 7.2 emulates cmpxchg16b with the flags of some other instruction, and a
# kernel that finds it in kmalloc() dies of that in one boot of ten.
case ${accel:=tcg, no usable /dev/kvm} in
kvm) accelerator=kvm cpu=max ;;
tcg*) accelerator=tcg,thread=multi cpu=max,-cx16 run+=(--retry 2) ;;
*) die "--accel $accel: kvm or tcg" ;;
esac
say "Linux $release under $accel"

artifacts=${artifacts:-$top/build/artifacts/$(date +%Y%m%d-%H%M%S)-$$}
mkdir -p "$artifacts"
artifacts=$(cd "$artifacts" && pwd)
# Those of the last runs are kept.
mkdir -p "$top/build/artifacts"
find "$top/build/artifacts" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' |
	sort -rn | sed '1,50d; s/^[^ ]* //' | xargs -r -d '\n' rm -rf
guest=$artifacts/guest
trap 'rm -rf "$guest" "$guest.cpio"; rmdir --ignore-fail-on-non-empty "$artifacts"' EXIT
. "$top/scripts/guest.sh"
. "$top/scripts/vng.sh"
mkdir -p "$guest"/{usr/bin,share,undead}
cp "$top/build/guest-init" "$guest/undead/init"

fs=()
if [ -n "$vng" ]; then
	check_vng
	bin=/usr/bin
else
	check_direct
	for spec in "${drivers[@]}"; do add_module "$spec"; done
	[ -z "$share" ] || add_share
	if [ -n "$userland" ]; then
		init=/sbin/init bin=/usr/bin
		append+=' systemd.unit=undead.service'
	else
		init=/undead/init bin=/bin busybox=1
		add_busybox
	fi
fi
[ ! -x "$top/build/undead" ] || add "$top/build/undead" "$bin/undead"
for spec in "${adds[@]}"; do
	host=${spec%%:*} to=${spec#*:}
	[ -e "$host" ] || die "--add $host: no such file"
	[ "$to" != "$spec" ] || to=/${host##*/}
	add "$host" "$to"
done
if [ -n "$ko" ]; then
	cp "$ko" "$guest/undead/undead.ko"
	echo /undead/undead.ko >>"$guest/undead/modules"
fi
if [ $# -gt 0 ]; then
	printf '%s\0' "$@" >"$guest/undead/cmd"
else
	[ -t 0 ] || die "a shell wants a terminal: give a command"
	: >"$guest/undead/tty"
	run+=(--tty)
fi
case " ${run[*]} " in *' --keep '*) : >"$guest/undead/keep"; [ ! -t 0 ] || run+=(--tty) ;; esac
if [ ${#gdb[@]} -gt 0 ]; then
	append+=' nokaslr'
	run+=(--gdb "${kdir:+$kdir/vmlinux }")
fi
append="oops=panic undead_vm=throw-away $append"

cd "$top"
if [ -n "$vng" ]; then
	vng_machine
else
	{
		[ -z "$userland" ] || cat "$userland"
		(cd "$guest" && find . | cpio -o -H newc -R 0:0 --quiet)
	} >"$guest.cpio"
	rm -rf "$guest"
	machine=(qemu-system-x86_64 -nodefaults -no-user-config -no-reboot
		-display none -M pc -accel "$accelerator" -smp "$cpus" -m "$mem"
		-kernel "$image" -serial "file:$artifacts/console.log"
		-append "console=ttyS0 panic=-1 rdinit=$init $append")
fi
# QEMU gets the initramfs by a descriptor: nothing is left, however we end.
if [ -e "$guest.cpio" ]; then
	exec {initramfs}<"$guest.cpio"
	rm "$guest.cpio"
	machine+=(-initrd "/dev/fd/$initramfs")
fi
trap - EXIT

exec "$top/build/vmrun" --timeout "$timeout" --console "$artifacts/console.log" \
	--evidence "$artifacts/evidence.tar" "${run[@]}" -- \
	"${machine[@]}" -cpu "$cpu" -qmp chardev:qmp \
	-device virtio-serial-pci,id=undead \
	-device virtconsole,bus=undead.0,chardev=terminal,nr=0 \
	-device virtserialport,bus=undead.0,chardev=status,nr=11 \
	-device virtserialport,bus=undead.0,chardev=output,nr=12 \
	-chardev "file,id=evidence,path=$artifacts/evidence.tar" \
	-device virtserialport,bus=undead.0,chardev=evidence,nr=13 \
	"${fs[@]}" "${gdb[@]}"
