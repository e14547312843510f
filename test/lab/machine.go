package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind is what a machine is and how its firmware boots.
type Kind string

// The kinds of machines.
const (
	// BIOS is an x86 PC with SeaBIOS; its network card's ROM is an old iPXE that speaks PXE.
	BIOS Kind = "bios"
	// BIOSChain is the same PC with a PXE ROM that is not iPXE, as most machines have: it is given iPXE by TFTP. No such ROM
	// is free, so an iPXE that does not say that it is one stands in for it.
	BIOSChain Kind = "bios-chain"
	// UEFI is an x86-64 machine whose EDK2 firmware boots by PXE.
	UEFI Kind = "uefi"
	// UEFIHTTP is the same machine booting by UEFI HTTP boot.
	UEFIHTTP Kind = "uefi-http"
	// UEFISecure is the x86-64 machine with Secure Boot on: it runs only what a key in its variables has signed.
	UEFISecure Kind = "uefi-secure"
	// ARM64 is an arm64 machine whose EDK2 firmware boots by PXE.
	ARM64 Kind = "arm64"
)

// Kinds lists the kinds that boot what a site serves as it is; UEFISecure wants signed files.
func Kinds() []Kind { return []Kind{BIOS, BIOSChain, UEFI, UEFIHTTP, ARM64} }

// ParseKind returns the kind of that name.
func ParseKind(name string) (Kind, error) {
	if slices.Contains(Kinds(), Kind(name)) {
		return Kind(name), nil
	}
	return "", fmt.Errorf("machine %q: no such kind: use one of %v", name, Kinds())
}

// Firmware and what Debian package brings it.
const (
	ovmfCode = "/usr/share/OVMF/OVMF_CODE_4M.fd"
	ovmfVars = "/usr/share/OVMF/OVMF_VARS_4M.fd"
	// With Secure Boot, and variables in which the package's own test key is the only one.
	ovmfSecureCode = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
	ovmfSecureVars = "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd"
	aavmf          = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"
	qemuX86        = "qemu-system-x86_64"
	qemuARM64      = "qemu-system-aarch64"
)

// Marker begins the line that a lab machine's first program prints once it is up.
const Marker = "TUGBOOT-MACHINE-UP "

// Machine is one emulated machine.
type Machine struct {
	Kind Kind
	MAC  string
	// PowerOn is when it was switched on.
	PowerOn time.Time
	// Serial is the path of the file with everything that came over its serial line, as it came.
	Serial string

	lab     *Lab
	tap     string
	process *Process
	up      chan struct{} // closed when the marker was seen
	off     chan struct{} // closed when QEMU has ended and its whole console was read
	release sync.Once
	lost    error // valid once off is closed

	mu     sync.Mutex
	marker string
	upAt   time.Time
}

// Boot switches on a machine of kind k whose network card has the MAC mac (lower-case, colons). Every line of its
// serial console, without escape sequences, goes to onLine, which may be nil and must not block. There is no hardware
// acceleration: firmware is known to hang under it on some hosts, and a boot takes 20 to 60 s without.
func (l *Lab) Boot(ctx context.Context, k Kind, mac string, onLine func(string)) (*Machine, error) {
	name := fmt.Sprintf("machine-%s-%s", k, strings.ReplaceAll(mac, ":", ""))
	m := &Machine{Kind: k, MAC: mac, lab: l, up: make(chan struct{}), off: make(chan struct{}),
		Serial: filepath.Join(l.Dir, name+".serial")}
	vars := filepath.Join(l.Dir, name+".vars")
	if k == UEFI || k == UEFIHTTP || k == UEFISecure {
		// The firmware writes its boot order there; a fresh copy each time makes every boot a first boot.
		from := ovmfVars
		if k == UEFISecure {
			from = cmp.Or(l.SecureVars, ovmfSecureVars)
		}
		if err := copyFile(vars, from); err != nil {
			return nil, fmt.Errorf("machine %s: %w: install the package ovmf", k, err)
		}
	}
	rom := filepath.Join(l.Dir, name+".ipxe")
	if k == BIOSChain {
		if err := os.WriteFile(rom, []byte(romScript), 0o644); err != nil {
			return nil, fmt.Errorf("machine %s: %w", k, err)
		}
	}
	serial, err := os.Create(m.Serial)
	if err != nil {
		return nil, fmt.Errorf("machine %s: %w", k, err)
	}
	if m.tap, err = l.AddTap(ctx); err != nil {
		return nil, errors.Join(err, serial.Close())
	}
	lines := &lineWriter{copy: serial, line: func(line string) {
		m.see(line)
		if onLine != nil {
			onLine(line)
		}
	}}
	files := firmware{vars: vars, rom: l.PXEROM, romScript: rom}
	m.PowerOn = time.Now()
	m.process, err = l.LAN.Start(Spec{Name: name, Args: qemuArgs(k, mac, m.tap, files), Output: lines})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("machine %s: %w", k, err), serial.Close(), l.RemoveTap(ctx, m.tap))
	}
	go func() {
		<-m.process.Done()
		lines.flush()
		m.lost = serial.Close()
		close(m.off)
	}()
	return m, nil
}

// romScript makes the iPXE that plays a PXE ROM keep quiet about what it is.
const romScript = "#!ipxe\nset user-class ROM\ndhcp\nclear user-class\nchain tftp://${next-server}/${filename}\n"

// firmware are the files of one machine's firmware: where UEFI keeps its variables; the PXE ROM and its script.
type firmware struct{ vars, rom, romScript string }

// qemuArgs is QEMU's command line for a machine. Its serial lines are QEMU's standard output: a PC's both, since firmware
// uses the first and HookOS's kernel arguments name the second.
func qemuArgs(k Kind, mac, tap string, f firmware) []string {
	common := []string{"-display", "none", "-monitor", "none", "-no-reboot",
		"-chardev", "stdio,id=console,mux=on,signal=off", "-serial", "chardev:console",
		"-netdev", "tap,id=n0,ifname=" + tap + ",script=no,downscript=no"}
	// An empty romfile takes the card's own iPXE away, so that the firmware's network stack is what boots.
	card := "virtio-net-pci,netdev=n0,mac=" + mac
	secondPort := []string{"-serial", "chardev:console"}
	uefiCard := card + ",bootindex=1,romfile="
	switch k {
	case UEFISecure:
		// Only code in system management mode may write the variables that hold the keys.
		return append([]string{qemuX86, "-machine", "q35,accel=tcg,smm=on", "-m", "1024",
			"-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1",
			"-drive", "if=pflash,format=raw,unit=0,readonly=on,file=" + ovmfSecureCode,
			"-drive", "if=pflash,format=raw,unit=1,file=" + f.vars, "-device", uefiCard}, slices.Concat(common, secondPort)...)
	case UEFI, UEFIHTTP:
		args := append([]string{qemuX86, "-machine", "q35,accel=tcg", "-m", "1024",
			"-drive", "if=pflash,format=raw,unit=0,readonly=on,file=" + ovmfCode,
			"-drive", "if=pflash,format=raw,unit=1,file=" + f.vars, "-device", uefiCard}, slices.Concat(common, secondPort)...)
		if k == UEFIHTTP {
			// The firmware tries PXE for two minutes before HTTP unless it is told that there is no PXE.
			args = append(args, "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n",
				"-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n")
		}
		return args
	case ARM64:
		return append([]string{qemuARM64, "-machine", "virt,accel=tcg", "-cpu", "cortex-a57", "-m", "1024", "-bios", aavmf,
			"-device", uefiCard}, common...)
	case BIOSChain:
		return append([]string{qemuX86, "-machine", "pc,accel=tcg,graphics=off", "-m", "512", "-kernel", f.rom, "-initrd", f.romScript,
			"-device", card + ",romfile="}, slices.Concat(common, secondPort)...)
	default:
		// Without graphics SeaBIOS shows its screen on the serial line.
		return append([]string{qemuX86, "-machine", "pc,accel=tcg,graphics=off", "-m", "512", "-boot", "n",
			"-device", card}, slices.Concat(common, secondPort)...)
	}
}

// see notes the marker.
func (m *Machine) see(line string) {
	at := strings.Index(line, Marker)
	if at < 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.marker == "" {
		m.marker, m.upAt = line[at:], time.Now()
		close(m.up)
	}
}

// WaitUp waits until the machine's first program says that it is up and returns its line and when it came. It fails when
// ctx ends first or the machine goes off without having said so; the error holds the end of the serial console.
func (m *Machine) WaitUp(ctx context.Context) (marker string, at time.Time, err error) {
	why := "gone off"
	select {
	case <-m.up:
	case <-m.off:
	case <-ctx.Done():
		why = "still on"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.marker == "" {
		return "", time.Time{}, fmt.Errorf("machine %s %s is %s %.0f s after power-on and its kernel never came up; the end of its console (%s):\n%s",
			m.Kind, m.MAC, why, time.Since(m.PowerOn).Seconds(), m.Serial, cleanTail(m.Serial, 15))
	}
	return m.marker, m.upAt, nil
}

// Off is closed when the machine is off.
func (m *Machine) Off() <-chan struct{} { return m.off }

// PowerOff switches the machine off and takes its tap away.
func (m *Machine) PowerOff() error {
	var err error
	m.release.Do(func() {
		m.process.Stop(stopGrace)
		<-m.off
		ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
		defer cancel()
		err = errors.Join(m.lost, m.lab.RemoveTap(ctx, m.tap))
	})
	return err
}

func copyFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
