# Everything a developer does here. `make` alone lists it. On a bare Debian 12 or newer, as root, the first command sets
# the machine up: packages, Go, iPXE, a kernel to boot, a Kubernetes API. Nothing is fetched twice: downloads and builds
# that take long stay in ~/.cache/tugboot (TUGBOOT_CACHE).

SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

cache := $(or $(TUGBOOT_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tugboot)
# Where hack/install-go.sh leaves Go when the machine has none that is new enough.
export PATH := $(cache)/go/bin:$(PATH)
# No C is linked, so that the program runs anywhere; only the race detector needs a compiler.
export CGO_ENABLED := 0

MACHINE ?= bios
# Packages that reach Kubernetes' libraries take minutes to build with the race detector; the others hold what is
# concurrent on a packet's path. Of test/, only the bench's own tests need nothing.
race_packages = go list -f '{{.ImportPath}} {{.Deps}}' ./internal/... | awk '!/k8s\.io/ { print $$1 }'
plain_packages = go list ./... | grep -v -e '/test/[^b]' -e /test/bench/contender$$ -e /controllers$$ -e /internal/capi$$ | grep -vxF "$$($(race_packages))"
# What runs against other programs is run afresh each time (-count=1): Go's test cache does not see those change.
# The folder with etcd, kube-apiserver and kubectl; made first if need be.
assets = KUBEBUILDER_ASSETS=$$(hack/control-plane.sh) || exit 1; export KUBEBUILDER_ASSETS;
# The folder with all that a real cluster with a node is made of, and helm; made first if need be.
kube = TUGBOOT_KUBE=$$(hack/kube/build.sh etcd kube-apiserver kubectl kubelet kube-controller-manager kube-scheduler kube-proxy helm) || exit 1; export TUGBOOT_KUBE;
# The folder with newer DHCP servers than Debian 12 has; made first if need be.
servers = TUGBOOT_DHCP_SERVERS=$$(hack/dhcp-servers.sh) || exit 1; export TUGBOOT_DHCP_SERVERS;

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ready ## Boot a machine in a site made on this host (MACHINE=bios|uefi|uefi-http|arm64, TAKEOVER=1, ONCE=1)
	@$(assets) exec build/bin/lab run --machine "$(MACHINE)" $(if $(TAKEOVER),--takeover) $(if $(ONCE),--once) --assets "$$KUBEBUILDER_ASSETS"

.PHONY: boot
boot: ## Boot another machine in the running site (MACHINE=uefi; NAME=the Hardware's name)
	@exec build/bin/lab boot "$(MACHINE)" $(NAME)

.PHONY: test
test: unit envtest chart interop e2e ## Run all tests, as root: unit, envtest, chart, interop, e2e

.PHONY: unit
unit: go ## Run the tests that need nothing: unit, golden, property, fuzz seeds
	@hack/install-packages.sh race
	@echo "== unit: packages without Kubernetes, with the race detector"
	@CGO_ENABLED=1 go test -race $$($(race_packages))
	@echo "== unit: the others"
	@go test $$($(plain_packages))

.PHONY: envtest
envtest: go ## Run the controllers against a real etcd and kube-apiserver
	@echo "== envtest"
	@$(assets) go test -count=1 -v ./internal/capi ./controllers/...

.PHONY: chart
chart: go ## Run the tests of the Helm chart and of config/default, with helm, kubectl and a real API
	@echo "== chart"
	@$(assets) $(kube) TUGBOOT_CHART_TOOLS=$$(hack/chart-tools.sh) || exit 1; export TUGBOOT_CHART_TOOLS; \
	go test -count=1 -v ./test/chart/...

.PHONY: interop
interop: ready ## Run real clients against Tugboot, real DHCP servers that it configures, and the conformance suite, as root
	@echo "== interop"
	@hack/install-packages.sh bench
	@$(assets) $(servers) TUGBOOT_BIN="$(CURDIR)/bin/tugboot" go test -count=1 -v -timeout 15m -p 1 ./test/interop/... ./test/conformance/... ./test/bench/contender

.PHONY: e2e
e2e: ready ## Boot emulated machines of every kind to their kernel's first program, as root
	@echo "== e2e"
	@$(assets) $(kube) $(servers) go test -count=1 -v -timeout 20m ./test/lab/... ./test/image/... ./test/e2e/...

.PHONY: fuzz
fuzz: go ## Run every fuzz target in turn (FUZZTIME=1m each; FUZZ=PATTERN: only those that match)
	@hack/fuzz.sh "$(FUZZ)"

# The quick plan proves that it works and no figure, so it leaves docs/ alone.
BENCH ?= full
bench_folder := build/bench$(if $(filter-out full,$(BENCH)),-$(BENCH))
bench_docs := $(if $(filter-out full,$(BENCH)),$(bench_folder),docs)
.PHONY: bench
bench: $(if $(RENDER),go,ready) ## Measure Tugboot beside other servers, as root, and write docs/performance.md (BENCH=quick, ROUNDS=5, ONLY=dhcp,tftp, CONTENDERS=kea, RENDER=1)
	@go build -o build/bin/bench ./test/bench
	@$(if $(RENDER),,hack/install-packages.sh bench || echo "going on without: the tables say who is missing"; \
	export TUGBOOT_TFTP_SERVERS=$$(hack/tftp-servers.sh) KUBEBUILDER_ASSETS=$$(hack/control-plane.sh);) \
	build/bin/bench --plan "$(BENCH)" --rounds "$(or $(ROUNDS),0)" --only "$(ONLY)" --contenders "$(CONTENDERS)" --folder "$(bench_folder)" --docs "$(bench_docs)" $(if $(RENDER),--render)

.PHONY: allocs
allocs: go ## Compare the benchmarks' allocations with those written down (UPDATE=1 writes them anew)
	@go run ./hack/allocs $(if $(UPDATE),-update)

.PHONY: lint
lint: go ## Run golangci-lint, and shellcheck on the scripts
	@hack/install-packages.sh lint
	@echo "building golangci-lint (minutes when nothing is cached yet)"
	@go build -modfile=hack/tools/go.mod -o build/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@build/bin/golangci-lint run ./...
	@shellcheck -x .ci/run hack/*.sh hack/lib/*.sh hack/kube/*.sh hack/lab-os/*

.PHONY: generate
generate: go ## Write what is made from the sources: deep copies, CRD, role, flags (CHECK=--check: only compare)
	@hack/generate.sh $(CHECK)

.PHONY: build
build: go ## Build bin/tugboot
	@echo "building bin/tugboot (minutes when nothing is cached yet)"
	@go build -buildvcs=auto -trimpath -ldflags "-s -w" -o bin/tugboot .

.PHONY: image
image: go ## Make the container image as build/tugboot-image.tar (PLATFORM=linux/amd64,linux/arm64; IMAGE=NAME:TAG)
	@hack/image.sh

.PHONY: ipxe
ipxe: packages ## Obtain the iPXE binaries into build/ipxe
	@hack/ipxe.sh

.PHONY: lab-os
lab-os: packages ## Make the kernel and initramfs that lab machines boot, in build/lab-os
	@hack/lab-os.sh

.PHONY: clean
clean: ## Remove bin/ and build/, not the cache
	@rm -rf bin build

# Not for people: what run and e2e need.
.PHONY: ready go packages
ready: packages go build ipxe lab-os
	@go build -o build/bin/lab ./hack/run
	@hack/control-plane.sh >/dev/null
packages:
	@hack/install-packages.sh run cluster test
go:
	@hack/install-go.sh
