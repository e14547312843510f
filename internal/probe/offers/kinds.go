package offers

import (
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
)

// Stage is how far a machine has come when it asks.
type Stage uint8

// The stages.
const (
	StageFirmware   Stage = iota // a PXE ROM or UEFI PXE
	StageHTTP                    // UEFI or BIOS HTTP boot
	StageIPXE                    // iPXE as distributions ship it
	StageOldIPXE                 // iPXE or gPXE that does not speak HTTP
	StageTinkerbell              // iPXE with our user class
)

// Stages returns all stages in the order in which a machine may pass them.
func Stages() []Stage {
	return []Stage{StageFirmware, StageHTTP, StageIPXE, StageOldIPXE, StageTinkerbell}
}

// String is the stage's name, as flags and tables have it.
func (s Stage) String() string {
	switch s {
	case StageFirmware:
		return "firmware"
	case StageHTTP:
		return "http"
	case StageIPXE:
		return "ipxe"
	case StageOldIPXE:
		return "old-ipxe"
	case StageTinkerbell:
		return "tinkerbell"
	}
	return "unknown"
}

// Kind is one kind of client that asks.
type Kind struct {
	// Name is unique among Kinds: the rule, the architecture's number and, for a user class in the form of RFC 3004,
	// rfc3004, such as tinkerbell/7/rfc3004.
	Name  string
	Stage Stage
	Arch  boot.Arch
	// UserClass is the class without its length; empty sends no option 77.
	UserClass string
	// Prefixed sends the user class in the length-prefixed form of RFC 3004 section 4.
	Prefixed bool
	// Rule is the name of the rule of boot.Table that this client falls under.
	Rule string
	// Want is what that rule tells it; its URLs carry no MAC.
	Want boot.Decision

	// iPXE is what option 175 says.
	iPXE boot.IPXEInfo
}

// Versions of iPXE as option 175 has them.
var (
	versionIPXE = [3]byte{1, 21, 1}
	versionGPXE = [3]byte{0, 9, 7}
)

// Kinds returns every kind of client, each architecture at each stage, with what boot.Table says that e tells it, in the
// order of boot.Table. Raspberry Pi boards are left out, for they say that they are a BIOS; see render.Word.Rules.
func Kinds(e boot.Endpoint) []Kind {
	var kinds []Kind
	for _, rule := range boot.Table(e) {
		archs := rule.Archs
		if archs == nil {
			archs = pxeArchs()
		}
		for _, arch := range archs {
			if arch.Family() == boot.FamilyRaspberryPi {
				continue
			}
			kinds = append(kinds, kindsOf(rule, arch)...)
		}
	}
	return kinds
}

func pxeArchs() []boot.Arch {
	var archs []boot.Arch
	for _, f := range boot.Families() {
		archs = append(archs, f.PXEArchs()...)
	}
	return archs
}

// kindsOf returns the client of the rule with that architecture; two where it has a user class, raw and prefixed.
func kindsOf(rule boot.Rule, arch boot.Arch) []Kind {
	k := Kind{
		Name: rule.Name + "/" + strconv.Itoa(int(arch)), Stage: stageOf(rule.Client), Arch: arch,
		UserClass: rule.Client.UserClass, Rule: rule.Name, Want: rule.Decision,
	}
	switch k.Stage {
	case StageIPXE, StageTinkerbell:
		k.iPXE = boot.IPXEInfo{HTTP: true, Version: versionIPXE}
	case StageOldIPXE:
		k.iPXE = boot.IPXEInfo{Version: versionGPXE}
	case StageFirmware, StageHTTP:
		return []Kind{k}
	}
	prefixed := k
	prefixed.Prefixed = true
	prefixed.Name += "/rfc3004"
	return []Kind{k, prefixed}
}

func stageOf(c boot.Client) Stage {
	switch {
	case c.VendorClass == boot.VendorHTTPClient:
		return StageHTTP
	case c.UserClass == "":
		return StageFirmware
	case c.UserClass != boot.UserClassIPXE:
		return StageTinkerbell
	case c.IPXE.Capable():
		return StageIPXE
	}
	return StageOldIPXE
}

// userClass is option 77 as it is sent.
func (k Kind) userClass() string {
	if !k.Prefixed {
		return k.UserClass
	}
	return string([]byte{byte(len(k.UserClass))}) + k.UserClass
}

// vendorClass is option 60 as it is sent: the class, the architecture and the version of the network driver's interface,
// which is 3.x for UEFI and 2.1 for BIOS (PXE 2.1 section 2.2.3).
func (k Kind) vendorClass() string {
	class := boot.VendorPXEClient
	if k.Stage == StageHTTP {
		class = boot.VendorHTTPClient
	}
	arch := strconv.Itoa(int(k.Arch))
	undi := k.undi()
	return class.String() + ":Arch:" + strings.Repeat("0", 5-len(arch)) + arch +
		":UNDI:" + padded(undi[1]) + padded(undi[2])
}

// undi is option 94: type 1, major and minor version.
func (k Kind) undi() []byte {
	switch {
	case k.Arch.Family() == boot.FamilyBIOS:
		return []byte{1, 2, 1}
	case k.UserClass != "":
		return []byte{1, 3, 10}
	}
	return []byte{1, 3, 0}
}

func padded(n byte) string {
	text := strconv.Itoa(int(n))
	return strings.Repeat("0", 3-len(text)) + text
}

// Client is the client as boot.Decide sees it, with the zero MAC.
func (k Kind) Client() boot.Client {
	c := boot.Client{Netboot: true, Arch: k.Arch, VendorClass: boot.VendorPXEClient, UserClass: k.userClass(), IPXE: k.iPXE}
	if k.Stage == StageHTTP {
		c.VendorClass = boot.VendorHTTPClient
	}
	return c
}
