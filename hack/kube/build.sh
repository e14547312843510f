#!/usr/bin/env bash
# Builds the Kubernetes programs named on the command line (default: what the tests' control plane needs) from the
# versions pinned in go.mod beside this file, and prints the folder that holds them. The folder is a cache keyed on
# go.sum: a second call prints it at once.
#
#   hack/kube/build.sh [etcd kube-apiserver kubectl ...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

programs=("$@")
[ ${#programs[@]} -gt 0 ] || programs=(etcd kube-apiserver kubectl)

cache=${TUGBOOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tugboot}
key=$(cat go.sum build.sh | sha256sum | cut -c1-16)
out=$cache/kube-$key
mkdir -p "$out"
exec 9>"$out/.lock"
flock 9 # two callers at once: the second finds the first one's work

version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=$(cut -d. -f2 <<<"$version")
flags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor"
  flags+=" -X $package.gitTreeState=clean -X $package.buildDate=1970-01-01T00:00:00Z"
done

package_of() {
  case $1 in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    etcdctl) echo go.etcd.io/etcd/etcdctl/v3 ;;
    helm) echo helm.sh/helm/v4/cmd/helm ;;
    *) echo "k8s.io/kubernetes/cmd/$1" ;;
  esac
}

for program in "${programs[@]}"; do
  [ -x "$out/$program" ] && continue
  echo "building $program ($version; minutes when nothing is cached yet)" >&2
  started=$SECONDS
  CGO_ENABLED=0 nice -n 5 go build -ldflags "$flags" -o "$out/.$program.new" "$(package_of "$program")"
  mv "$out/.$program.new" "$out/$program"
  echo "built $program in $((SECONDS - started)) s" >&2
done
echo "$out"
