// Package e2e boots whole machines, from power-on to the first program of a real kernel, because Hardware objects stand
// in a real Kubernetes API. It knows what a machine's boot must look like from outside; it must not know Tugboot's
// inside. It needs root and the packages of `hack/install-packages.sh run test`; `make e2e` makes all else.
//
// TUGBOOT_HARDWARE_CRD names a file with Tinkerbell's own CustomResourceDefinition of Hardware to run everything against in
// place of ours.
package e2e
