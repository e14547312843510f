package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Names that fuzzing found for the renderers, each as the host name and domain of a machine of its own: whatever of them is
// rendered, the daemon's own checker accepts the file.
func TestHostileNamesAreRenderedHarmless(t *testing.T) {
	need(t, map[string]string{"kea-dhcp4": "kea-dhcp4-server", "dnsmasq": "dnsmasq-base", "dhcpd": "isc-dhcp-server"})
	for kind, check := range map[string][]string{
		"kea":     {"kea-dhcp4", "-t"},
		"dnsmasq": {"dnsmasq", "--test", "--conf-file"},
		"isc":     {"dhcpd", "-4", "-t", "-cf"},
	} {
		t.Run(kind, func(t *testing.T) {
			folder := t.TempDir()
			hardware := filepath.Join(folder, "hardware.yaml")
			found := corpus(t, "internal/render/"+kind, "FuzzTextIsHarmless")
			if err := os.WriteFile(hardware, []byte(named(t, found)), 0o644); err != nil {
				t.Fatal(err)
			}
			render := exec.CommandContext(suite.ctx, suite.program, "render", kind, "--hardware", hardware, "--next-server", serverAddr, "--cluster", "lab")
			var complaints strings.Builder
			render.Stderr = &complaints
			text, err := render.Output()
			if err != nil {
				t.Fatalf("render: %v: %s", err, complaints.String())
			}
			accepted := func(text string) (string, bool) {
				file := filepath.Join(folder, "rendered.conf")
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				args := append(append([]string(nil), check[1:]...), file)
				if kind == "dnsmasq" {
					args = []string{"--test", "--conf-file=" + file}
				}
				said, err := exec.CommandContext(suite.ctx, check[0], args...).CombinedOutput()
				return string(said), err == nil
			}
			if said, ok := accepted(string(text)); !ok {
				t.Errorf("%s refuses it: %.2000s", check[0], said)
			}
			if _, ok := accepted(string(text) + "\n}this is no configuration{\n"); ok {
				t.Errorf("%s accepts anything", check[0])
			}
			if machines := strings.Count(strings.ToLower(string(text)), "52:54:00:fe:"); machines < len(found)/2 {
				t.Errorf("only %d of %d machines are rendered: %s", machines, len(found)/2, complaints.String())
			}
			t.Logf("%d machines, %d complaints", len(found)/2, strings.Count(complaints.String(), "\n"))
		})
	}
}

// named is a Hardware for each two of the texts.
func named(t *testing.T, texts [][]byte) string {
	t.Helper()
	var all strings.Builder
	for i := 0; i+1 < len(texts); i += 2 {
		text, err := json.Marshal(map[string]any{
			"apiVersion": "tinkerbell.org/v1alpha1", "kind": "Hardware", "metadata": map[string]any{"name": fmt.Sprintf("m%d", i), "namespace": "tink"},
			"spec": map[string]any{"interfaces": []any{map[string]any{
				"dhcp": map[string]any{
					"mac": fmt.Sprintf("52:54:00:fe:%02x:%02x", i>>8, i&0xff), "hostname": string(texts[i]), "domain_name": string(texts[i+1]), "lease_time": 3600,
					"ip": map[string]any{"address": fmt.Sprintf("192.168.2.%d", 1+i/2), "netmask": "255.255.255.0", "gateway": "192.168.2.254"},
				},
				"netboot": map[string]any{"allowPXE": true},
			}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString("---\n" + string(text) + "\n")
	}
	return all.String()
}
