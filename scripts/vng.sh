# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced: virtme-ng. For vm.sh --vng the machine as it puts it together, whose
# guest has this machine's files, read-only. Only virtme-ng's command line is
# taken: vmrun runs it like ours, with the same ports, deadline and end.

make_vng() {
	say "fetching virtme-ng of trixie, once, about 10 s"
	fetch "$1" trixie virtme-ng virtme-ng
}

# The one of this machine, or one fetched, in $PATH of this shell.
find_vng() {
	local tree
	command -v vng >/dev/null && return
	tree=$(make_once vng-trixie make_vng)
	# Its python is for another libc.
	export PATH=/usr/bin:/bin:$PATH:$tree/usr/bin
	export PYTHONPATH=$tree/usr/lib/python3/dist-packages
}

check_vng() {
	local option
	find_vng
	[ -d /run/udev ] || command -v udevadm >/dev/null ||
		die "virtme-ng wants udev: apt-get install udev"
	for option in NET_9P_VIRTIO 9P_FS OVERLAY_FS VIRTIO_CONSOLE; do
		[ -n "$(option $option)" ] ||
			die "virtme-ng wants CONFIG_$option, which $release lacks"
	done
}

# The QEMU command in $machine, the initramfs, if it has one, in $guest.cpio.
vng_machine() {
	local i
	local args=(--run "${kdir:-$image}" --force-9p --cpus "$cpus" --memory "${mem}M"
		--user root --cwd / --qemu "$top/scripts/vng-qemu.sh" --rodir "/srv/guest=$guest"
		--append "loglevel=4 $append")
	[ "$accel" = kvm ] || args+=(--disable-kvm)
	[ -z "$share" ] || args+=(--rwdir "/srv/share=$share")
	UNDEAD_VNG=$guest vng "${args[@]}" -- 'exec /srv/guest/undead/init >/dev/console 2>&1' \
		</dev/null >"$guest.log" 2>&1 || :	# it misses a guest
	[ -s "$guest.args" ] || die "virtme-ng cannot run this: $(grep -v '^$' "$guest.log" | tail -n 1)"
	mapfile -d '' -t machine <"$guest.args"
	rm "$guest.args" "$guest.log"
	# It opens what was its stdout, and truncates it.
	for i in "${!machine[@]}"; do
		case ${machine[i]} in
		file,id=console,*) machine[i]=file,id=console,path=$artifacts/console.log ;;
		file,id=*) machine[i]=${machine[i]%%,path=*},path=/dev/null ;;
		stdio,id=stdin,*) machine[i]=null,id=stdin ;;
		esac
	done
	machine=(qemu-system-x86_64 "${machine[@]}")
	run+=(--boot 120)
}
