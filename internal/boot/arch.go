package boot

import "github.com/tugboot/tugboot/internal/reservation"

// Arch is a client architecture, option 93 (RFC 4578 section 2.1; numbers from IANA's registry of processor
// architecture types).
type Arch uint16

// The architectures that firmware is known to send.
const (
	ArchBIOS         Arch = 0  // x86 BIOS
	ArchNEC          Arch = 1  // NEC/PC98
	ArchItanium      Arch = 2  // never seen; historic clients send 2 for BIOS
	ArchAlpha        Arch = 3  // likewise
	ArchARCx86       Arch = 4  // likewise
	ArchLeanClient   Arch = 5  // Intel Lean Client
	ArchIA32         Arch = 6  // x86 UEFI
	ArchX64          Arch = 7  // x86-64 UEFI
	ArchXscale       Arch = 8  // sent for x86-64 by some firmware
	ArchEBC          Arch = 9  // EFI byte code; much x86-64 firmware sends it
	ArchARM32        Arch = 10 // 32-bit ARM UEFI
	ArchARM64        Arch = 11 // 64-bit ARM UEFI
	ArchIA32HTTP     Arch = 15 // x86 UEFI HTTP boot
	ArchX64HTTP      Arch = 16 // x86-64 UEFI HTTP boot
	ArchEBCHTTP      Arch = 17 // EFI byte code HTTP boot
	ArchARM32HTTP    Arch = 18 // 32-bit ARM UEFI HTTP boot
	ArchARM64HTTP    Arch = 19 // 64-bit ARM UEFI HTTP boot
	ArchBIOSHTTP     Arch = 20 // x86 BIOS HTTP boot
	ArchARM64UBoot   Arch = 22 // 64-bit ARM U-Boot
	ArchRISCV32      Arch = 25 // 32-bit RISC-V UEFI
	ArchRISCV32HTTP  Arch = 26
	ArchRISCV64      Arch = 27 // 64-bit RISC-V UEFI
	ArchRISCV64HTTP  Arch = 28
	ArchRISCV128     Arch = 29 // 128-bit RISC-V UEFI
	ArchRISCV128HTTP Arch = 30
	ArchRaspberryPi  Arch = 41 // ARM rpiboot; the boards themselves send 0
)

// Family groups the architectures that run the same binary.
type Family uint8

// The families, in the order in which Table lists them.
const (
	FamilyUnknown Family = iota
	FamilyBIOS
	FamilyX64
	FamilyARM64
	FamilyIA32
	FamilyARM32
	FamilyRISCV32
	FamilyRISCV64
	FamilyRISCV128
	FamilyRaspberryPi
)

// Families returns every family that a binary can be built for.
func Families() []Family {
	return []Family{FamilyBIOS, FamilyX64, FamilyARM64, FamilyIA32, FamilyARM32, FamilyRISCV32, FamilyRISCV64,
		FamilyRISCV128, FamilyRaspberryPi}
}

// String returns the family's name as messages and rule names use it.
func (f Family) String() string {
	switch f {
	case FamilyBIOS:
		return "bios"
	case FamilyX64:
		return "uefi-x86-64"
	case FamilyARM64:
		return "uefi-arm64"
	case FamilyIA32:
		return "uefi-ia32"
	case FamilyARM32:
		return "uefi-arm32"
	case FamilyRISCV32:
		return "uefi-riscv32"
	case FamilyRISCV64:
		return "uefi-riscv64"
	case FamilyRISCV128:
		return "uefi-riscv128"
	case FamilyRaspberryPi:
		return "raspberry-pi"
	case FamilyUnknown:
	}
	return "unknown"
}

// PXEArchs returns the architectures of the family whose firmware fetches by TFTP, HTTPArchs those that use HTTP.
func (f Family) PXEArchs() []Arch {
	switch f {
	case FamilyBIOS:
		return []Arch{ArchBIOS, ArchNEC, ArchItanium, ArchAlpha, ArchARCx86, ArchLeanClient}
	case FamilyX64:
		return []Arch{ArchX64, ArchXscale, ArchEBC}
	case FamilyARM64:
		return []Arch{ArchARM64, ArchARM64UBoot}
	case FamilyIA32:
		return []Arch{ArchIA32}
	case FamilyARM32:
		return []Arch{ArchARM32}
	case FamilyRISCV32:
		return []Arch{ArchRISCV32}
	case FamilyRISCV64:
		return []Arch{ArchRISCV64}
	case FamilyRISCV128:
		return []Arch{ArchRISCV128}
	case FamilyRaspberryPi:
		return []Arch{ArchRaspberryPi}
	case FamilyUnknown:
	}
	return nil
}

// HTTPArchs returns the architectures of the family whose firmware boots from an HTTP URL.
func (f Family) HTTPArchs() []Arch {
	switch f {
	case FamilyBIOS:
		return []Arch{ArchBIOSHTTP}
	case FamilyX64:
		return []Arch{ArchX64HTTP, ArchEBCHTTP}
	case FamilyARM64:
		return []Arch{ArchARM64HTTP}
	case FamilyIA32:
		return []Arch{ArchIA32HTTP}
	case FamilyARM32:
		return []Arch{ArchARM32HTTP}
	case FamilyRISCV32:
		return []Arch{ArchRISCV32HTTP}
	case FamilyRISCV64:
		return []Arch{ArchRISCV64HTTP}
	case FamilyRISCV128:
		return []Arch{ArchRISCV128HTTP}
	case FamilyRaspberryPi, FamilyUnknown:
	}
	return nil
}

// maxArch is the highest architecture this package knows.
const maxArch = ArchRaspberryPi

// familyOf is the inverse of PXEArchs and HTTPArchs, by number; built once from them.
var familyOf = func() (table [maxArch + 1]Family) {
	for _, f := range Families() {
		for _, a := range append(f.PXEArchs(), f.HTTPArchs()...) {
			table[a] = f
		}
	}
	return table
}()

// Family returns the family of a, FamilyUnknown for one that this package does not know.
func (a Arch) Family() Family {
	if a > maxArch {
		return FamilyUnknown
	}
	return familyOf[a]
}

// Known reports whether a belongs to a family. Of several architectures in one option 93 the first known one counts.
func (a Arch) Known() bool { return a.Family() != FamilyUnknown }

// raspberryPiOUIs are the vendor prefixes of Raspberry Pi boards, whose firmware sends architecture 0.
var raspberryPiOUIs = [...][3]byte{
	{0xb8, 0x27, 0xeb}, {0xdc, 0xa6, 0x32}, {0xe4, 0x5f, 0x01}, {0x28, 0xcd, 0xc1}, {0xd8, 0x3a, 0xdd}, {0x2c, 0xcf, 0x67},
}

// RaspberryPi reports whether m carries a vendor prefix of Raspberry Pi boards.
func RaspberryPi(m reservation.MAC) bool {
	for _, oui := range raspberryPiOUIs {
		if m.HasOUI(oui) {
			return true
		}
	}
	return false
}
