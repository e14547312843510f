// Package image looks into the archive that hack/image.sh makes and runs it under containerd and runc. It knows what must and
// what must not be in Tugboot's image, and must not know how it comes there. It follows the OCI image and runtime
// specifications 1.1; it needs root, Debian's package archive, and the packages containerd and runc.
package image
