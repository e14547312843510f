#!/usr/bin/env bash
# Installs the Debian packages that a part of this project needs, and only those that are missing. Packages that bring
# a daemon do not get to start it: the lab runs its own, in its own network namespaces.
#
#   hack/install-packages.sh [--check] make|bootstrap-go|run|cluster|test|bench|race|lint ...
#
# --check installs nothing; it names what is missing and exits 1 when something is.
set -euo pipefail

# What runs the Makefile.
make=(make)
# What fetches the Go that go.mod asks for.
bootstrap_go=(ca-certificates golang-go)
# The machines, their firmware, what takes kernels apart and puts initramfs images together.
run=(qemu-system-x86 qemu-system-arm qemu-utils ovmf qemu-efi-aarch64 seabios ipxe-qemu
  iproute2 procps cpio kmod xz-utils zstd gzip)
# What a node of a real cluster runs containers with, and what kube-proxy writes its rules with.
cluster=(containerd runc containernetworking-plugins nftables iproute2 util-linux)
# The real clients that the interoperability tests set on Tugboot, the DHCP servers that Tugboot configures, what looks at
# the wire, and for Secure Boot a shim and what signs it.
test=(isc-dhcp-client isc-dhcp-relay udhcpc dhcpcd-base dnsmasq-base kea-dhcp4-server kea-ctrl-agent isc-dhcp-server
  tftp-hpa atftp curl tcpdump tshark
  shim-unsigned sbsigntool openssl)
# The servers that test/bench measures beside Tugboot (its TFTP servers: hack/tftp-servers.sh), perfdhcp (in kea-admin), and
# what compiles its stubs.
bench=(dnsmasq-base kea-dhcp4-server kea-admin isc-dhcp-server nginx iproute2 gcc libc6-dev)
# What Go's race detector needs.
race=(gcc libc6-dev)
lint=(shellcheck)

die() {
  echo "install-packages: $*" >&2
  exit 1
}

check=false
if [ "${1:-}" = --check ]; then
  check=true
  shift
fi
[ $# -gt 0 ] || die "name at least one group: make, bootstrap-go, run, cluster, test, bench, race or lint"
command -v apt-get >/dev/null || die "this machine has no apt-get: Debian 12 or newer is needed"

wanted=()
for group in "$@"; do
  case $group in
    make) wanted+=("${make[@]}") ;;
    bootstrap-go) wanted+=("${bootstrap_go[@]}") ;;
    run) wanted+=("${run[@]}") ;;
    cluster) wanted+=("${cluster[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    race) wanted+=("${race[@]}") ;;
    lint) wanted+=("${lint[@]}") ;;
    *) die "there is no group \"$group\": choose from make, bootstrap-go, run, cluster, test, bench, race and lint" ;;
  esac
done

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if $check; then
  echo "missing packages: ${missing[*]}"
  exit 1
fi
[ "$(id -u)" = 0 ] || die "run as root, or ask for it: apt-get install --no-install-recommends ${missing[*]}"

# invoke-rc.d asks this program before it starts anything; 101 means "do not". It is there for the installation only,
# and whatever was there before comes back.
policy=/usr/sbin/policy-rc.d
saved=
restore() {
  rm -f "$policy"
  if [ -n "$saved" ]; then mv "$saved" "$policy"; fi
}
if [ -e "$policy" ]; then
  saved=$policy.before-tugboot
  mv "$policy" "$saved"
fi
trap restore EXIT
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

log=$(mktemp -t tugboot-apt.XXXXXX)
apt() {
  if ! DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    die "apt-get $* failed; the whole log is $log"
  fi
}
started=$SECONDS
echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
apt update
apt install --yes --no-install-recommends "${missing[@]}"
rm -f "$log"
echo "installed in $((SECONDS - started)) s"
