#!/usr/bin/env bash
# Prints a folder that holds etcd, kube-apiserver and kubectl of the version that hack/kube pins: KUBEBUILDER_ASSETS
# when that is set, else what an earlier run found, else a download by setup-envtest, else a build from hack/kube, which
# takes minutes once.
set -euo pipefail
hack=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${TUGBOOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tugboot}
setup_envtest=sigs.k8s.io/controller-runtime/tools/setup-envtest # of the version that hack/tools pins

complete() { [ -x "$1/etcd" ] && [ -x "$1/kube-apiserver" ] && [ -x "$1/kubectl" ]; }

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  if complete "$KUBEBUILDER_ASSETS"; then
    echo "$KUBEBUILDER_ASSETS"
    exit 0
  fi
  echo "control-plane: KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks etcd, kube-apiserver or kubectl: fill it or unset it" >&2
  exit 1
fi

# What was found is remembered for as long as the pinned versions and this script stay as they are.
memory=$cache/control-plane-$(cat "$hack/kube/go.sum" "$hack/kube/build.sh" "$hack/control-plane.sh" | sha256sum | cut -c1-16)
folder=$(cat "$memory" 2>/dev/null || true)
if [ -n "$folder" ] && complete "$folder"; then
  echo "$folder"
  exit 0
fi

# download prints the folder with what setup-envtest fetched. The list is a quick question whether it can at all: where
# the network lets nothing through, the answer must not be waited for.
download() {
  local minor tool=$cache/setup-envtest folder
  minor=$(awk '$1 == "k8s.io/kubernetes" { sub("v", "", $2); split($2, part, "."); print part[1] "." part[2] ".x"; exit }' "$hack/kube/go.mod")
  go -C "$hack/tools" build -o "$tool/setup-envtest" "$setup_envtest" || return 1
  timeout 5 "$tool/setup-envtest" list "$minor" --bin-dir "$cache/envtest" >/dev/null 2>&1 || return 1
  folder=$("$tool/setup-envtest" use "$minor" --bin-dir "$cache/envtest" -p path) || return 1
  complete "$folder" && echo "$folder"
}

echo "control plane: trying to download etcd and kube-apiserver" >&2
if ! folder=$(download); then
  echo "control plane: no download from here; building from hack/kube instead" >&2
  folder=$("$hack/kube/build.sh" etcd kube-apiserver kubectl)
fi
mkdir -p "$cache"
echo "$folder" >"$memory"
echo "$folder"
