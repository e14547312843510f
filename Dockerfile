# Tugboot's container image, for those who have a registry:
#
#   docker build --tag REGISTRY/tugboot:TAG --build-arg VERSION="$(git describe --tags --always)" \
#     --build-arg REVISION="$(git rev-parse HEAD)" .
#
# `make image` makes the same without a container engine: both take the file system that hack/image-root.sh lays out, and a
# test of hack/image compares what is said below with what is said there. To pin the one base image by its digest too, add
# --build-arg GO_IMAGE=golang:1.26.8-trixie@sha256:DIGEST. BuildKit is needed: without it COPY drops file capabilities.
ARG GO_IMAGE=golang:1.26.8-trixie

# Debian 13 with Go: the program is built here, and iPXE taken from Debian's own package, of a version that hack/ipxe.pin names.
# hadolint ignore=DL3006
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS root
ARG TARGETARCH
ARG VERSION=unknown
WORKDIR /src
COPY . .
RUN GOARCH=${TARGETARCH} VERSION=${VERSION} hack/image-root.sh /image && build/bin/image setcap /image/tugboot

# No shell, no package manager, no C library: the program is linked with none.
FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Tugboot"
LABEL org.opencontainers.image.description="Network-boots bare-metal machines from Kubernetes Hardware objects"
LABEL org.opencontainers.image.source="https://github.com/tugboot/tugboot"
LABEL org.opencontainers.image.licenses="Apache-2.0 AND GPL-2.0-or-later"
LABEL org.opencontainers.image.version="${VERSION}"
LABEL org.opencontainers.image.revision="${REVISION}"
COPY --from=root /image /
EXPOSE 67/udp 69/udp 514/tcp 514/udp 4011/udp 7171/tcp 8081/tcp
# docs/design/2026-11-27-image.md says when it may serve as this user, and when it has to be 0.
USER 65532:65532
ENTRYPOINT ["/tugboot"]
CMD ["serve"]
