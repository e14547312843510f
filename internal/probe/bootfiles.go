package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
)

// binary is the name under which stacks serve a first-stage binary for a family of machines.
type binary struct {
	family boot.Family
	name   string
}

// pair is the binary as takeover.Endpoint.BootFiles has it.
func (b binary) pair() string { return b.family.String() + "=" + b.name }

// binaries lists the names that Tinkerbell and Tugboot serve, of each family's the usual one first. A shim, which Secure
// Boot wants first, counts where it is required. A Raspberry Pi is given the arm64 binary.
func binaries() []binary {
	return []binary{
		{boot.FamilyBIOS, "undionly.kpxe"},
		{boot.FamilyX64, "ipxe.efi"},
		{boot.FamilyX64, "snp-x86_64.efi"},
		{boot.FamilyX64, "snponly.efi"},
		{boot.FamilyX64, "shimx64.efi"},
		{boot.FamilyARM64, "snp-arm64.efi"},
		{boot.FamilyARM64, "shimaa64.efi"},
		{boot.FamilyIA32, "ipxe-i386.efi"},
		{boot.FamilyARM32, "snp-arm32.efi"},
		{boot.FamilyRISCV64, "ipxe-riscv64.efi"},
		{boot.FamilyRaspberryPi, "snp-arm64.efi"},
	}
}

// fileFinding is what was found of the boot files.
type fileFinding struct {
	// any is true when a file was had.
	any bool
	// pairs are those of takeover.Endpoint.BootFiles.
	pairs string
	// err is about the required files, and took the time that they took; those of all when none is required.
	err  error
	took time.Duration
}

// bootFiles asks for the required files and for all that are known, or for those that were served before, at once.
func (p *Prober) bootFiles(ctx context.Context, t Target) fileFinding {
	known := binaries()
	if served := strings.Fields(t.Served); len(served) > 0 {
		known = slices.DeleteFunc(known, func(b binary) bool { return !slices.Contains(served, b.pair()) })
	}
	names := slices.Clone(t.BootFiles)
	for _, b := range known {
		names = append(names, b.name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	server := netip.AddrPortFrom(t.Addr, t.TFTPPort)
	answers, took := make([]error, len(names)), make([]time.Duration, len(names))
	began := time.Now()
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			answers[i] = p.bootFile(ctx, server, name)
			took[i] = time.Since(began)
		})
	}
	all.Wait()
	f := fileFinding{any: slices.Contains(answers, nil)}
	wrong := map[string]error{}
	for i, name := range names {
		wrong[name] = answers[i]
		if len(t.BootFiles) == 0 || slices.Contains(t.BootFiles, name) {
			f.took = max(f.took, took[i])
		}
	}
	f.pairs = pairs(known, t.BootFiles, wrong)
	f.err = fileProblem(server, t.BootFiles, wrong, f.any)
	return f
}

// bootFile asks for one file.
func (p *Prober) bootFile(ctx context.Context, server netip.AddrPort, name string) error {
	if len(name) == 0 || len(name) > 255 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return heardf("such a name cannot be asked for: write 1 to 255 characters of ASCII, without spaces")
	}
	err := p.firstBlock(ctx, server, name)
	if err == nil {
		return nil
	}
	var finding heard
	if !errors.As(err, &finding) {
		return heardf("%s: is a TFTP server started there, and is UDP open between it and this host?", p.why(err))
	}
	return finding
}

// pairs names a binary for each family that one was had for: a required one before the others, the usual one first.
func pairs(known []binary, required []string, wrong map[string]error) string {
	slices.SortStableFunc(known, func(a, b binary) int {
		switch isA, isB := slices.Contains(required, a.name), slices.Contains(required, b.name); {
		case isA == isB:
			return 0
		case isA:
			return -1
		}
		return 1
	})
	var list []string
	named := map[boot.Family]bool{}
	for _, b := range known {
		if wrong[b.name] == nil && !named[b.family] {
			named[b.family] = true
			list = append(list, b.pair())
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// fileProblem says which required file was not had, and of how many more that is true.
func fileProblem(server netip.AddrPort, required []string, wrong map[string]error, anyHad bool) error {
	var missing []string
	for _, name := range required {
		if wrong[name] != nil {
			missing = append(missing, name)
		}
	}
	switch {
	case len(missing) > 0:
		err := fmt.Errorf("tftp://%s/%s: %w", server, cut(missing[0]), wrong[missing[0]])
		if more := len(missing) - 1; more > 0 {
			err = fmt.Errorf("%w (and %d more required files)", err, more)
		}
		return err
	case len(required) == 0 && !anyHad:
		return fmt.Errorf("tftp://%s: none of the known boot files was had, %s first: %w", server, binaries()[0].name, wrong[binaries()[0].name])
	}
	return nil
}
