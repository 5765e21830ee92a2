# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by vm.sh for --vng: the same command under virtme-ng, whose guest has
# this machine's files, read-only. Does not return.

make_vng() {
	local url log=$1.log
	url=$(mirror)
	need mmdebstrap mmdebstrap
	say "fetching virtme-ng of trixie, once, about 10 s"
	if ! mmdebstrap --variant=extract --mode=chrootless \
	     --include=virtme-ng trixie "$1" "$url" >"$log" 2>&1; then
		explain "$log" "cannot fetch virtme-ng"
		rm -f "$log"
		return 1
	fi
	rm "$log"
}

[ $# -gt 0 ] || die "under virtme-ng: give a command"
[ ${#adds[@]} = 0 ] || die "--add is not for --vng: the guest has this machine's files"
[ -d /run/udev ] || command -v udevadm >/dev/null ||
	die "virtme-ng wants udev: apt-get install udev"
for option in NET_9P_VIRTIO 9P_FS OVERLAY_FS VIRTIO_CONSOLE; do
	[ -n "$(option $option)" ] ||
		die "virtme-ng wants CONFIG_$option, which $release lacks"
done
if ! command -v vng >/dev/null; then
	vng=$(make_once vng-trixie make_vng)
	export PATH=$vng/usr/bin:$PATH PYTHONPATH=$vng/usr/lib/python3/dist-packages
	PATH=/usr/bin:/bin:$PATH	# its python is for another libc
fi

args=(--run "${kdir:-$image}" --cpus "$cpus" --memory "${mem}M" --cwd / --user root)
[ "$accel" = kvm ] ||
	args+=(--disable-kvm --qemu-opts="-cpu $cpu")
args+=(--append "undead_vm=throw-away $append")

# Its /tmp is its own, so what is needed has a place that is not: this checkout
# at /srv, the shared folder at /mnt.
args+=(--rodir "/srv=$top")
script="export PATH=/srv/build:\$PATH HOME=/root"
if [ -n "$ko" ]; then
	ko=/srv/${ko#"$top"/}
	script+=" UNDEAD_MODULE=$ko; insmod $ko || exit $EX_SETUP"
fi
if [ -n "$share" ]; then
	args+=(--rwdir "/mnt=$share")
	# / cannot be written: /share wants a root of its own.
	script+='
		mkdir /tmp/root && mount -t tmpfs root /tmp/root && cd /tmp/root
		for d in /*; do
			if [ -L "$d" ]; then cp -P "$d" .
			elif [ -d "$d" ]; then mkdir ".$d" && mount --rbind "$d" ".$d"; fi
		done
		mkdir share && mount --bind /mnt share && exec chroot /tmp/root'"$(printf ' %q' "$@")"
else
	script+="; exec$(printf ' %q' "$@")"
fi

# A pid name space: whatever ends us ends all of it. Only root can: in a user
# name space the guest would see the files of a root that is not its own. There
# the deadline has to do.
ns=(unshare --pid --fork --kill-child --mount-proc)
"${ns[@]}" true 2>/dev/null || ns=(setsid --wait)
# vng opens what is its stdout anew and truncates it: two pipes.
exec "${ns[@]}" bash -o pipefail -c '{ "$@" 2>&1 >&3 | cat >&2; } 3>&1 | cat
	status=$?
	[ $status != 124 ] || echo "vm: no end after $2 s, the guest was stopped: raise --timeout" >&2
	exit $status' sh \
	timeout "$timeout" vng "${args[@]}" -- bash -c "$(printf %q "$script")"
