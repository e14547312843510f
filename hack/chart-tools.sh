#!/usr/bin/env bash
# Prints a folder with what the chart is judged by: kubeconform and kube-score, of the versions that hack/tools/manifests.mod
# pins, and in crds/ the CRDs of Prometheus' operator, made from its Go types, of the version that hack/tools/go.mod pins.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
modfile=$PWD/hack/tools/manifests.mod
out=$PWD/build/chart-tools
export CGO_ENABLED=0
unset KUBEBUILDER_ASSETS

go build -trimpath -modfile="$modfile" -o "$out/kubeconform" github.com/yannh/kubeconform/cmd/kubeconform
go build -trimpath -modfile="$modfile" -o "$out/kube-score" github.com/zegl/kube-score/cmd/kube-score

types=$(cd hack/tools && go list -f '{{.Dir}}' github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1)
made=$out/crds/$(sha256sum <hack/tools/go.sum | cut -c1-16)
if [ ! -d "$made" ]; then
  rm -rf "$out/crds"
  mkdir -p "$out/crds"
  go build -trimpath -modfile=hack/tools/go.mod -o "$out/controller-gen" sigs.k8s.io/controller-tools/cmd/controller-gen
  # In the folder of their own module, with the dependencies that it names.
  (cd "$types" && "$out/controller-gen" crd paths=. output:crd:dir="$out/crds/.new")
  mv "$out/crds/.new" "$made"
fi
echo "$out"
