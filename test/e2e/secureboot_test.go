package e2e

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
	"github.com/tugboot/tugboot/test/need"
)

const secureMAC = "52:54:00:00:02:51"

const secureHardware = `apiVersion: tinkerbell.org/v1alpha1
kind: Hardware
metadata: {name: secure, namespace: eksa-system}
spec:
  interfaces:
  - dhcp: {mac: "` + secureMAC + `", ip: {address: 192.168.2.51, netmask: 255.255.255.0}}
    netboot: {allowPXE: true}
`

// Where the package ovmf has its test key, with the passphrase "snakeoil", and the package shim-unsigned its shim.
const (
	secureKey  = "/usr/share/ovmf/PkKek-1-snakeoil.key"
	secureCert = "/usr/share/ovmf/PkKek-1-snakeoil.pem"
	secureShim = "/usr/lib/shim/shimx64.efi"
)

// A machine with Secure Boot on is given a signed shim, which fetches the signed iPXE that lies beside it; iPXE finds
// autoexec.ipxe, and boots Debian's signed kernel. TUGBOOT_SECURE_VARS and TUGBOOT_SECURE_DIR name other variables of the
// firmware and other files to serve; docs/secure-boot.md says which were tried.
func TestSecureBoot(t *testing.T) {
	needSecureBoot(t)
	dir := t.TempDir()
	signWith(t, dir, secureShim, "shimx64.efi")
	signWith(t, dir, filepath.Join(root, "build", "ipxe", "ipxe-amd64.efi"), "grubx64.efi")
	tugboot, m := secureMachine(t, cmp.Or(os.Getenv("TUGBOOT_SECURE_DIR"), dir), nil, "--boot-file=uefi-x86-64=shimx64.efi")
	ctx, cancel := context.WithTimeout(t.Context(), bootLimit)
	defer cancel()
	marker, at, err := m.WaitUp(ctx)
	if err != nil {
		t.Fatalf("%v\nthe end of Tugboot's log:\n%s", err, lab.Tail(tugboot.Log, 25))
	}
	t.Logf("up %.1f s after power-on: %s", at.Sub(m.PowerOn).Seconds(), marker)
	checkFetched(t, tugboot, "tftp shimx64.efi", "tftp grubx64.efi", "tftp autoexec.ipxe", "script auto.ipxe")
}

// The same machine does not run an iPXE that nobody signed: Secure Boot is on.
func TestSecureBootRefusesWhatIsNotSigned(t *testing.T) {
	needSecureBoot(t)
	refused := make(chan struct{})
	once := sync.OnceFunc(func() { close(refused) })
	tugboot, m := secureMachine(t, filepath.Join(root, "build", "ipxe"), func(line string) {
		if strings.Contains(line, "Access Denied") {
			once()
		}
	})
	select {
	case <-refused:
	case <-m.Off():
		t.Error("the machine is off, and its firmware did not say that access was denied")
	case <-time.After(bootLimit):
		t.Errorf("the firmware did not say that access was denied; the end of Tugboot's log:\n%s", lab.Tail(tugboot.Log, 10))
	}
	checkFetched(t, tugboot, "tftp ipxe.efi")
	if told, err := tugboot.Timeline(t.Context(), secureMAC, time.Time{}); err != nil || slices.ContainsFunc(told, func(e journal.Entry) bool {
		return strings.Contains(e.What, "autoexec.ipxe")
	}) {
		t.Errorf("iPXE ran all the same: %v, %v", told, err)
	}
}

func needSecureBoot(t *testing.T) {
	t.Helper()
	needSite(t)
	need.Program(t, "sbsign", "sbsigntool")
	need.Program(t, "openssl", "openssl")
	need.File(t, secureShim, "apt-get install shim-unsigned")
	need.File(t, secureKey, "apt-get install ovmf")
}

// signWith signs a program with the test key of ovmf.
func signWith(t *testing.T, dir, from, name string) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key.pem")
	if out, err := exec.CommandContext(t.Context(), "openssl", "rsa", "-in", secureKey, "-passin", "pass:snakeoil", "-out", key).CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "sbsign", "--key", key, "--cert", secureCert, "--output", filepath.Join(dir, name), from).CombinedOutput()
	if err != nil {
		t.Fatalf("sbsign %s: %v: %s", name, err, out)
	}
}

// secureMachine switches on a machine with Secure Boot on a LAN whose Tugboot serves dir.
func secureMachine(t *testing.T, dir string, onLine func(string), flags ...string) (*lab.Tugboot, *lab.Machine) {
	t.Helper()
	parts, err := siteParts()
	if err != nil {
		t.Fatal(err)
	}
	served, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := lab.New(t.Context(), "e2e-secure", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	l.SecureVars = os.Getenv("TUGBOOT_SECURE_VARS")
	files, err := l.ServeFiles(parts.OS, nil)
	if err != nil {
		t.Fatal(err)
	}
	hardware := filepath.Join(t.TempDir(), "hardware.yaml")
	if err := os.WriteFile(hardware, []byte(secureHardware), 0o600); err != nil {
		t.Fatal(err)
	}
	tugboot, err := l.StartTugboot(t.Context(), "tugboot", lab.TugbootArgs(parts.Tugboot, served, files.URL,
		append([]string{"--hardware=" + hardware}, flags...)...))
	if err != nil {
		t.Fatal(err)
	}
	emulated <- struct{}{}
	m, err := l.Boot(t.Context(), lab.UEFISecure, secureMAC, onLine)
	if err != nil {
		<-emulated
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.PowerOff(); err != nil {
			t.Error(err)
		}
		<-emulated
	})
	return tugboot, m
}

// checkFetched finds that the machine fetched these, in this order: "stage name".
func checkFetched(t *testing.T, tugboot *lab.Tugboot, want ...string) {
	t.Helper()
	told, err := tugboot.Timeline(t.Context(), secureMAC, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	rest := want
	var all []string
	for _, e := range told {
		all = append(all, string(e.Stage)+" "+e.What+" "+e.Reason)
		if len(rest) == 0 {
			continue
		}
		stage, name, _ := strings.Cut(rest[0], " ")
		if e.Stage == journal.Stage(stage) && strings.Contains(e.What, name) {
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		t.Errorf("not fetched, or not in this order: %s; the timeline:\n%s", strings.Join(rest, ", "), strings.Join(all, "\n"))
	}
}
