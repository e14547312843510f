#!/usr/bin/env bash
# Makes the operating system that lab machines boot in place of HookOS: Debian's cloud kernel and an initramfs of about
# 1.5 MB (busybox, the virtio modules, hack/lab-os/init), for x86_64 and aarch64. The packages come over the machine's own apt
# configuration and are unpacked, not installed.
#
#   hack/lab-os.sh [FOLDER]         default build/lab-os: vmlinuz-ARCH and initramfs-ARCH
#
# Downloads stay in the cache; REFRESH=1 asks the archive again.
set -euo pipefail
hack=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=hack/lib/apt.sh
. "$hack/lib/apt.sh"
into=${1:-$(dirname "$hack")/build/lab-os}
cache=${TUGBOOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tugboot}
modules=(virtio_pci virtio_net af_packet)

for tool in cpio depmod modprobe xz dpkg-deb; do
  command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin:/sbin
  command -v "$tool" >/dev/null || {
    echo "lab-os: $tool is missing: run hack/install-packages.sh run" >&2
    exit 1
  }
done

# packages DEBIAN-ARCH prints the folder that holds the kernel's and busybox's packages, filling it first.
packages() {
  local folder=$cache/lab-os-debs-$1 kernel
  if [ -n "${REFRESH:-}" ] || ! [ -f "$folder/complete" ]; then
    echo "downloading Debian's cloud kernel and busybox for $1" >&2
    private_apt "$scratch/apt-$1" "$1"
    kernel=$(apt-cache "${APT[@]}" depends "linux-image-cloud-$1" | awk '$1 == "Depends:" { print $2; exit }')
    if [ -z "$kernel" ]; then
      echo "lab-os: no apt source of this machine offers linux-image-cloud-$1" >&2
      exit 1
    fi
    fetch "$scratch/debs-$1" "$kernel" busybox-static
    touch "$scratch/debs-$1/complete"
    rm -rf "$folder"
    mkdir -p "$cache"
    cp -r "$scratch/debs-$1" "$folder"
  fi
  echo "$folder"
}

# copy_modules TREE VERSION INTO copies what the wanted modules need, unpacked, and writes the order to load them in.
copy_modules() {
  local module path
  depmod -b "$1" "$2"
  mkdir -p "$3"
  for module in "${modules[@]}"; do
    # Built-in modules print "builtin" and are left out.
    modprobe -d "$1" -S "$2" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'
  done | awk '!seen[$0]++' | while read -r path; do
    module=$(basename "$path")
    case $module in
      *.xz) xz -dc "$path" >"$3/${module%.xz}" ;;
      *.zst) zstd -qdc "$path" >"$3/${module%.zst}" ;;
      *) cp "$path" "$3/$module" ;;
    esac
    echo "${module%.ko*}.ko"
  done >"$3/order"
}

# make_os DEBIAN-ARCH KERNEL-ARCH FOLDER
make_os() {
  local debs tree=$scratch/tree-$1 root=$scratch/root-$1 version
  debs=$(packages "$1")
  mkdir -p "$tree" "$root"/{bin,proc,sys,dev,run}
  dpkg-deb -x "$(echo "$debs"/linux-image-*.deb)" "$tree"
  dpkg-deb -x "$(echo "$debs"/busybox-static_*.deb)" "$scratch/busybox-$1"
  # Trixie's packages hold /usr/bin and /usr/lib where bookworm's hold /bin and /lib.
  cp "$(find "$scratch/busybox-$1" -path '*bin/busybox' | head -n 1)" "$root/bin/busybox"
  ln -s busybox "$root/bin/sh"
  if ! [ -e "$tree/lib" ]; then ln -s usr/lib "$tree/lib"; fi
  version=$(ls "$tree/lib/modules")
  copy_modules "$tree" "$version" "$root/modules"
  cp "$hack/lab-os/init" "$hack/lab-os/dhcp-event" "$root/"
  (cd "$root" && find . | LC_ALL=C sort | cpio --quiet --reproducible -R 0:0 -o -H newc | gzip -9n) >"$3/initramfs-$2"
  cp "$tree/boot/vmlinuz-$version" "$3/vmlinuz-$2"
  echo "lab-os for $2: kernel $version, initramfs $(stat -c %s "$3/initramfs-$2") bytes"
}

key=$(cat "$hack/lab-os.sh" "$hack"/lab-os/* "$hack/lib/apt.sh" | sha256sum | cut -c1-16)
if [ -z "${REFRESH:-}" ] && [ "$(cat "$into/.key" 2>/dev/null)" = "$key" ]; then exit 0; fi
scratch=$(mktemp -d -t tugboot-lab-os.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
rm -rf "$into"
mkdir -p "$into"
make_os amd64 x86_64 "$into"
make_os arm64 aarch64 "$into"
chmod 644 "$into"/*
echo "$key" >"$into/.key"
