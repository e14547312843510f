package ipxe

import (
	"path"
	"slices"

	"github.com/tugboot/tugboot/internal/boot"
)

// firstStage says under which name a family's binary is served and under which names it may stand in the directory.
type firstStage struct {
	family boot.Family
	// wire is the name on the wire; sources are the file names tried in order, the wire name first.
	wire    string
	sources []string
}

// firstStages lists the families that a binary exists for, as long as nobody names another one. 32-bit and 128-bit
// RISC-V are left out: the riscv64 binary that distributions ship cannot run there. A Raspberry Pi is given the arm64
// binary.
func firstStages() []firstStage {
	arm64 := []string{"snp-arm64.efi", "snponly-arm64.efi", "ipxe-arm64.efi"}
	return []firstStage{
		{boot.FamilyBIOS, "undionly.kpxe", []string{"undionly.kpxe"}},
		{boot.FamilyX64, "ipxe.efi", []string{"ipxe.efi", "ipxe-x86_64.efi", "ipxe-amd64.efi", "snp-x86_64.efi", "snponly.efi"}},
		{boot.FamilyARM64, "snp-arm64.efi", arm64},
		{boot.FamilyIA32, "ipxe-i386.efi", []string{"ipxe-i386.efi", "ipxe-ia32.efi", "ipxe32.efi", "snp-i386.efi"}},
		{boot.FamilyARM32, "snp-arm32.efi", []string{"snp-arm32.efi", "ipxe-arm32.efi"}},
		{boot.FamilyRISCV64, "ipxe-riscv64.efi", []string{"ipxe-riscv64.efi", "snp-riscv64.efi"}},
		{boot.FamilyRaspberryPi, "snp-arm64.efi", arm64},
	}
}

// isBinary reports whether a file's name is that of a first-stage binary. Other files in the directory are never given
// out, so that a wrong directory gives away nothing.
func isBinary(name string) bool {
	return slices.Contains([]string{".efi", ".kpxe", ".kkpxe", ".kkkpxe", ".pxe", ".lkrn"}, path.Ext(name))
}

// mediaType returns the media type of a first-stage binary.
func mediaType(name string) string {
	if path.Ext(name) == ".efi" {
		return "application/efi"
	}
	return "application/octet-stream"
}
