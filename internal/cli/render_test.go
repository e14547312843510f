package cli

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/render/microsoft"
)

const (
	renderCSV  = "../../examples/hardware.csv"
	renderYAML = `apiVersion: tinkerbell.org/v1alpha1
kind: Hardware
metadata: {name: node-1, namespace: eksa-system}
spec:
  interfaces:
  - dhcp: {mac: "52:54:00:00:00:01", hostname: node-1, ip: {address: 192.168.2.11, netmask: 255.255.255.0}}
    netboot: {allowPXE: true}
`
	renderTo112 = "--next-server=192.168.2.112"
)

// renderFile puts text into a file of that name.
func renderFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRenderPrintsOneWholeFile(t *testing.T) {
	yaml := renderFile(t, "hardware.yaml", renderYAML)
	for name, test := range map[string]struct {
		file string
		says []string
	}{
		"CSV":  {renderCSV, []string{"'tugboot-lab-tinkerbell'"}},
		"YAML": {yaml, []string{"'192.168.2.11'", "'52-54-00-00-00-01'", "'node-1'", "http://192.168.2.112:8080/auto.ipxe"}},
	} {
		code, stdout, stderr := run("", "render", "microsoft", "--hardware", test.file, renderTo112, "--cluster=lab", "--http-port=8080", "--script-path=/auto.ipxe")
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", name, code, stderr)
		}
		if err := microsoft.Check(stdout); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, part := range test.says {
			if !strings.Contains(stdout, part) {
				t.Errorf("%s: no %s in\n%s", name, part, stdout)
			}
		}
	}
}

// Every kind of service is rendered, and its file carries the cluster's mark.
func TestRenderKnowsEveryService(t *testing.T) {
	if diff := cmp.Diff([]string{"kea", "dnsmasq", "isc", "microsoft"}, daemonNames()); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	yaml := renderFile(t, "hardware.yaml", renderYAML)
	for _, name := range daemonNames() {
		code, stdout, stderr := run("", "render", name, "--hardware", yaml, renderTo112, "--cluster=lab")
		if code != 0 || stderr != "" || !strings.Contains(stdout, "tugboot-lab") || !strings.Contains(stdout, "192.168.2.112") {
			t.Errorf("%s: exit code %d, stderr %q, stdout\n%s", name, code, stderr, stdout)
		}
		folder := t.TempDir()
		args := []string{"render", name, "--hardware", yaml, renderTo112, "--cluster=lab"}
		for range 2 {
			if code, _, stderr := run("", append(args, "--split", folder)...); code != 0 || stderr != "" {
				t.Errorf("%s: --split: exit code %d, stderr %q", name, code, stderr)
			}
		}
	}
}

// The operator's file is written once. What the operator makes of it stays, and is said to differ.
func TestRenderKeepsTheOperatorsFile(t *testing.T) {
	folder := t.TempDir()
	split := []string{"render", "isc", "--hardware", renderFile(t, "hardware.yaml", renderYAML), renderTo112, "--cluster=lab", "--split", folder}
	if code, _, stderr := run("", split...); code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	operators, live := filepath.Join(folder, "tugboot-lab.conf"), filepath.Join(folder, "tugboot-lab.group")
	if err := os.WriteFile(operators, []byte("# mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	split[4] = "--next-server=192.168.2.50"
	code, _, stderr := run("", split...)
	if code != 0 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "tugboot-lab.conf: is the operator's") || readText(t, operators) != "# mine\n" {
		t.Errorf("exit code %d, stderr %q, file %q", code, stderr, readText(t, operators))
	}
	if !strings.Contains(readText(t, live), "192.168.2.50") {
		t.Errorf("the live file was not written anew:\n%s", readText(t, live))
	}
}

func TestRenderCountsWhatIsOutside(t *testing.T) {
	yaml := renderFile(t, "hardware.yaml", renderYAML)
	code, stdout, stderr := run("", "render", "microsoft", "--hardware", yaml, renderTo112, "--subnet=10.0.0.0/24", "--subnet=10.0.1.0/24")
	if code != 0 || stderr != "tugboot: 1 machines have addresses outside of every --subnet and are left out\n" || strings.Contains(stdout, "192.168.2.11'") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	_, stdout, stderr = run("", "render", "microsoft", "--hardware", yaml, renderTo112, "--subnet=192.168.0.0/16")
	if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "netmask") || !strings.Contains(stdout, "'255.255.0.0'") {
		t.Errorf("stderr %q", stderr)
	}
}

func TestRenderSplitAndDiff(t *testing.T) {
	yaml := renderFile(t, "hardware.yaml", renderYAML)
	folder := filepath.Join(t.TempDir(), "made")
	args := []string{"render", "microsoft", "--hardware", yaml, renderTo112, "--cluster=lab"}
	for range 2 { // its own files are replaced
		if code, stdout, stderr := run("", append(args, "--split", folder)...); code != 0 || stdout != "" || stderr != "" {
			t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d files: %v", len(entries), err)
	}
	script := filepath.Join(folder, "tugboot-lab-dhcp.ps1")
	for _, entry := range entries {
		code, stdout, stderr := run("", append(args, "--diff", filepath.Join(folder, entry.Name()))...)
		if code != 0 || stdout != "" || stderr != "" {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", entry.Name(), code, stdout, stderr)
		}
	}
	code, stdout, stderr := run("", append(args[:len(args)-2], "--next-server=192.168.2.50", "--cluster=lab", "--diff", script)...)
	if code != exitNotReady || !strings.Contains(stdout, "\n-") || !strings.Contains(stdout, "\n+") || !strings.Contains(stdout, "192.168.2.50") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("another next-server: exit code %d, stdout\n%s\nstderr %q", code, stdout, stderr)
	}

	before := readText(t, filepath.Join(folder, "tugboot-lab-dhcp.txt"))
	if err := os.WriteFile(script, []byte("# mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr = run("", append(args[:len(args)-2], "--next-server=192.168.2.50", "--cluster=lab", "--split", folder)...)
	if code != exitFailed || !strings.Contains(stderr, "was not written by Tugboot") || readText(t, script) != "# mine\n" || readText(t, filepath.Join(folder, "tugboot-lab-dhcp.txt")) != before {
		t.Errorf("a file of the operator's: exit code %d, stderr %q", code, stderr)
	}
}

func TestRenderRefuses(t *testing.T) {
	yaml := renderFile(t, "hardware.yaml", renderYAML)
	half := renderFile(t, "half.yaml", renderYAML+"---\nbanana\n")
	for name, test := range map[string]struct {
		says string
		args []string
	}{
		"no daemon":                      {"0 arguments where it takes 1", []string{"--hardware", yaml, renderTo112}},
		"an unknown daemon":              {`"bind\n": no such kind of DHCP service: choose from `, []string{"bind\n", "--hardware", yaml, renderTo112}},
		"no source":                      {"--hardware: not given", []string{"microsoft", renderTo112}},
		"two sources":                    {"has no effect with --kubeconfig", []string{"microsoft", "--hardware", yaml, "--kubeconfig", yaml, renderTo112}},
		"no next-server":                 {"--next-server: not given", []string{"microsoft", "--hardware", yaml}},
		"a next-server that is none":     {`--next-server "boot.lab": not the IPv4 address`, []string{"microsoft", "--hardware", yaml, "--next-server=boot.lab"}},
		"IPv6":                           {`--next-server "fe80::1": not the IPv4 address`, []string{"microsoft", "--hardware", yaml, "--next-server=fe80::1"}},
		"a path that is none":            {"script path", []string{"microsoft", "--hardware", yaml, renderTo112, "--script-path=/a'b"}},
		"boot files that are none":       {"boot files", []string{"microsoft", "--hardware", yaml, renderTo112, "--boot-files=ipxe.efi"}},
		"a port without a next-server":   {"--http-port: has no effect without --next-server", []string{"microsoft", "--kubeconfig", yaml, "--http-port=80"}},
		"a path without HTTP":            {"--script-path: has no effect with --http-port 0", []string{"microsoft", "--hardware", yaml, renderTo112, "--http-port=0", "--script-path=/x"}},
		"a context of a file":            {"--context: has no effect without --kubeconfig", []string{"microsoft", "--hardware", yaml, renderTo112, "--context=x"}},
		"a cluster that is none":         {`--cluster "A\n": not a cluster's name`, []string{"microsoft", "--hardware", yaml, renderTo112, "--cluster=A\n"}},
		"a subnet that is none":          {`--subnet "192.168.2.1/24": not an IPv4 subnet`, []string{"microsoft", "--hardware", yaml, renderTo112, "--subnet=192.168.2.1/24"}},
		"a difference of a split":        {"has no effect with --diff", []string{"microsoft", "--hardware", yaml, renderTo112, "--split=a", "--diff=b"}},
		"a difference to nothing":        {"--diff: open", []string{"microsoft", "--hardware", yaml, renderTo112, "--diff", filepath.Join(t.TempDir(), "none")}},
		"a folder that cannot be":        {"--split: ", []string{"microsoft", "--hardware", yaml, renderTo112, "--split", yaml}},
		"no such file":                   {"none.yaml", []string{"microsoft", "--hardware", filepath.Join(t.TempDir(), "none.yaml"), renderTo112}},
		"a file that is right in half":   {"nothing is rendered from half of it", []string{"microsoft", "--hardware", half, renderTo112}},
		"a kubeconfig that is none":      {"--kubeconfig ", []string{"microsoft", "--kubeconfig", half, renderTo112}},
		"a cluster too long for Windows": {"is longer than the 64 characters", []string{"microsoft", "--hardware", yaml, renderTo112, "--cluster=" + strings.Repeat("a", 60)}},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run("", append([]string{"render"}, test.args...)...)
			if code != exitUsage && code != exitFailed || stdout != "" || !strings.Contains(stderr, test.says) {
				t.Errorf("exit code %d, stdout %q, stderr %q; want 1 or 2, and %q", code, stdout, stderr, test.says)
			}
		})
	}
}

// TestRenderFromACluster: the baton gives mark and endpoint, --next-server has the last word, and Hardware comes in pages.
func TestRenderFromACluster(t *testing.T) {
	const batons = "/api/v1/namespaces/eksa-system/configmaps/tugboot-baton-"
	hardware := func(n string) map[string]any {
		return map[string]any{"apiVersion": "tinkerbell.org/v1alpha1", "kind": "Hardware", "metadata": map[string]any{"name": "node-" + n, "namespace": "eksa-system"},
			"spec": map[string]any{"interfaces": []any{map[string]any{"dhcp": map[string]any{
				"mac": "52:54:00:00:00:0" + n, "ip": map[string]any{"address": "192.168.2.1" + n, "netmask": "255.255.255.0"}}}}}}
	}
	a := apiWith(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == batons+"lab":
			reply(w, http.StatusOK, map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "tugboot-baton-lab"}, "data": map[string]string{
				"cluster": "lab", "epoch": "3", "born": "2026-01-01T00:00:00Z", "withheld": "false", "since": "2026-01-01T00:00:00Z",
				"advertised.address": "192.168.2.50", "advertised.tftp-port": "69", "advertised.http-port": "7171",
				"advertised.script-path": "/ipxe/script/auto.ipxe", "advertised.boot-files": "uefi-x86-64=ipxe.efi",
				"reservations": "", "reservations-omitted": "false",
			}})
		case r.URL.Path == batons+"bad":
			reply(w, http.StatusOK, map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "tugboot-baton-bad"}, "data": map[string]string{"cluster": "x"}})
		case strings.HasPrefix(r.URL.Path, batons):
			refuse(w, http.StatusNotFound, "NotFound", "not found")
		default:
			list := map[string]any{"apiVersion": "tinkerbell.org/v1alpha1", "kind": "HardwareList", "metadata": map[string]any{"continue": "more"}, "items": []any{hardware("1")}}
			if r.URL.Query().Get("continue") == "more" {
				list["metadata"], list["items"] = map[string]any{}, []any{hardware("2"), map[string]any{"apiVersion": "tinkerbell.org/v1alpha1", "kind": "Hardware",
					"metadata": map[string]any{"name": "node-3", "namespace": "eksa-system"}, "spec": "banana"}}
			}
			reply(w, http.StatusOK, list)
		}
	})
	for name, test := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"the baton's word":      {[]string{"--cluster=lab"}, 0, []string{"$epoch = 3", "'192.168.2.50'", "'192.168.2.11'", "'192.168.2.12'", "Hardware eksa-system/node-3"}},
		"a person's word":       {[]string{"--cluster=lab", renderTo112}, 0, []string{"$epoch = 3", "'192.168.2.112'"}},
		"no baton yet":          {[]string{renderTo112, "--namespace=eksa-system"}, 0, []string{"$epoch = 0", "'192.168.2.112'", "'tugboot default '"}},
		"no baton, and no word": {nil, exitFailed, []string{"ConfigMap eksa-system/tugboot-baton-default: there is none", "give --next-server"}},
		"a baton that is wrong": {[]string{"--cluster=bad"}, exitFailed, []string{"ConfigMap eksa-system/tugboot-baton-bad: data[cluster]"}},
		"no such context":       {[]string{"--context=y", renderTo112}, exitFailed, []string{"--kubeconfig ", "a --context that is in it"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run("", append([]string{"render", "microsoft", "--kubeconfig", a.kubeconfig}, test.args...)...)
			if code != test.code || (stdout == "") != (code != 0) {
				t.Errorf("exit code %d, want %d; stderr %q", code, test.code, stderr)
			}
			for _, part := range test.says {
				if !strings.Contains(stdout+stderr, part) {
					t.Errorf("no %q in\n%s%s", part, stdout, stderr)
				}
			}
		})
	}
}
