package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tugboot/tugboot/test/lab"
)

// diagnosis is what `tugboot doctor -o json` prints.
type diagnosis struct {
	OK               bool
	Errors, Warnings int
	Findings         []struct{ Check, Level, What, Remedy string }
}

// of returns the findings of a check at a level.
func (d diagnosis) of(check, level string) []string {
	var all []string
	for _, f := range d.Findings {
		if f.Check == check && f.Level == level {
			all = append(all, f.What+"; "+f.Remedy)
		}
	}
	return all
}

// practice is a LAN without Tugboot, on whose server doctor is asked.
func practice(t *testing.T, name string) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(suite.ctx, 100*time.Second)
	t.Cleanup(cancel)
	l, err := lab.New(ctx, "interop-"+name, t.TempDir())
	check(t, err)
	t.Cleanup(func() { check(t, l.Close()) })
	s := &site{Lab: l, t: t, ctx: ctx, hardware: filepath.Join(t.TempDir(), "hardware.yaml")}
	s.writeHardware(hardware(machine{name: "node", mac: "52:54:00:dc:00:01", address: "192.168.2.61"}))
	return s
}

// doctor asks with the flags that the lab's Tugboot has, and these. It must be done in ten seconds.
func (s *site) doctor(flags ...string) (diagnosis, int) {
	s.t.Helper()
	args := lab.TugbootArgs(suite.program, suite.ipxe, "http://"+serverAddr+":7180/hook", append(flags, "--output=json")...)
	args[1] = "doctor"
	if slices.Contains(flags, "--dhcp=off") { // with which interfaces have no meaning
		args = slices.DeleteFunc(args, func(a string) bool { return strings.HasPrefix(a, "--interfaces=") })
	}
	began := time.Now()
	out, err := s.Server.Run(s.ctx, nil, args...)
	took := time.Since(began)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		check(s.t, err)
	}
	var d diagnosis
	if err := json.Unmarshal(out, &d); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	if took > 10*time.Second {
		s.t.Errorf("it took %v, want less than ten seconds", took)
	}
	if d.OK != (code == 0) || d.OK != (d.Errors == 0) || code > 1 {
		s.t.Errorf("exit code %d with %d errors", code, d.Errors)
	}
	s.t.Logf("%v, exit code %d:\n%s", took.Round(time.Millisecond), code, out)
	return d, code
}

// TestDoctorNamesWhoHoldsAPort: a dnsmasq of this host, by its name and PID, and the server that it is.
func TestDoctorNamesWhoHoldsAPort(t *testing.T) {
	t.Parallel()
	need(t, map[string]string{"dnsmasq": "dnsmasq-base"})
	s := practice(t, "doctor-port")
	held, err := s.Server.Start(lab.Spec{Name: "dnsmasq", Args: s.dnsmasq(lab.ServerInterface)})
	check(t, err)
	s.within(5*time.Second, "dnsmasq serves", func() bool { return strings.Contains(read(t, held.Log), "IP range") })
	d, code := s.doctor("--hardware=" + s.hardware)
	want := fmt.Sprintf(`DHCP: 67/udp at 0.0.0.0 on s0 is taken by "dnsmasq" (pid %d)`, held.PID())
	if got := d.of("port", "error"); code != 1 || d.Errors != 1 || len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Errorf("exit code %d, %d errors, %q, want %q", code, d.Errors, got, want)
	}
	if got := d.of("dhcp", "warning"); len(got) != 1 || !strings.Contains(got[0], serverAddr) {
		t.Errorf("%q, want that the dnsmasq of this host answers", got)
	}
}

// dnsmasq is the command line of one that serves the LAN, asking the network first whether an address is taken, as it does
// where nobody says otherwise.
func (s *site) dnsmasq(device string) []string {
	return []string{"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=" + device, "--bind-interfaces",
		"--user=root", "--log-facility=-", "--log-dhcp", "--pid-file=" + s.file("dnsmasq.pid"), "--dhcp-leasefile=" + s.file("dnsmasq.leases"),
		"--dhcp-range=192.168.2.200,192.168.2.209,255.255.255.0,10m", "--dhcp-boot=pxelinux.0,boot,192.168.2.9"}
}

// TestDoctorFindsAForeignServer: by its address, with what it gave, and without a single REQUEST.
func TestDoctorFindsAForeignServer(t *testing.T) {
	t.Parallel()
	need(t, map[string]string{"dnsmasq": "dnsmasq-base"})
	s := practice(t, "doctor-foreign")
	wire := s.tap()
	other := s.addressed("dnsmasq", "52:54:00:dc:00:99", "192.168.2.5/24")
	p := s.launch(other, "dnsmasq", s.dnsmasq("eth0")...)
	s.within(5*time.Second, "dnsmasq serves", func() bool { return strings.Contains(read(t, p.Log), "IP range") })
	d, code := s.doctor("--hardware=" + s.hardware)
	got := d.of("dhcp", "warning")
	if code != 0 || len(got) != 1 || !strings.Contains(got[0], "another DHCP server, 192.168.2.5, answers on s0: address 192.168.2.20") ||
		!strings.Contains(got[0], `next-server 192.168.2.9, boot file "pxelinux.0"`) {
		t.Errorf("exit code %d, %q", code, got)
	}
	sent := wire.find(func(e exchanged) bool { return e.OpCode == dhcpv4.OpcodeBootRequest })
	if len(sent) < 2 || len(sent) > 4 {
		t.Errorf("%d questions were sent, want 2 to 4", len(sent))
	}
	for _, e := range sent {
		if e.MessageType() != dhcpv4.MessageTypeDiscover {
			t.Errorf("a %v was sent", e.MessageType())
		}
	}
	if leases, err := os.ReadFile(s.file("dnsmasq.leases")); err == nil && len(leases) > 0 {
		t.Errorf("the server noted a lease: %s", leases)
	}

	asOther, code := s.doctor("--hardware="+s.hardware, "--dhcp=off")
	if got := asOther.of("dhcp", "warning"); code != 0 || len(got) > 0 || !strings.Contains(strings.Join(asOther.of("dhcp", "ok"), ""), "192.168.2.5") {
		t.Errorf("with --dhcp=off: %d, %q", code, got)
	}
}

// TestDoctorNamesTheRightThatIsMissing: an account that has what config/rbac grants is told that all is well, and one from
// which a verb was taken exactly that verb.
func TestDoctorNamesTheRightThatIsMissing(t *testing.T) {
	t.Parallel()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run `make interop`, which sets it to what hack/control-plane.sh prints")
	}
	s := practice(t, "doctor-rights")
	s.serveHook()
	api, err := s.StartControlPlane(s.ctx, assets)
	check(t, err)
	config := filepath.Join("..", "..", "config")
	s.kubectl(api, "", "apply", "--server-side", "--filename="+filepath.Join(config, "crd", "bases"))
	s.kubectl(api, "", "wait", "--for=condition=Established", "--timeout=30s", "crd/hardware.tinkerbell.org", "crd/takeovers.tugboot.dev", "crd/dhcpservices.tugboot.dev")
	for _, name := range []string{"tugboot", "eksa-system", "tink-system"} {
		s.kubectl(api, "", "create", "namespace", name)
	}
	for _, room := range []string{"", "takeover", "dhcpservice"} {
		s.kubectl(api, "", "apply", "--kustomize="+filepath.Join(config, "rbac", room))
	}
	s.kubectl(api, read(t, s.hardware), "apply", "--filename=-")
	flags := []string{"--kubeconfig=" + asTugboot(t, api.Kubeconfig), "--takeover-namespace=eksa-system", "--dhcpservice-namespace=eksa-system",
		"--role=management", "--state-dir=" + filepath.Join(t.TempDir(), "state")}

	d, code := s.doctor(flags...)
	if code != 0 || d.Errors+d.Warnings > 0 {
		t.Errorf("all is well: exit code %d, %d errors, %d warnings", code, d.Errors, d.Warnings)
	}
	if got := strings.Join(d.of("api", "ok"), ""); !strings.Contains(got, api.URL) || !strings.Contains(got, "takes us for system:serviceaccount:tugboot:tugboot") {
		t.Errorf("api: %q", got)
	}
	if got := strings.Join(d.of("hardware", "ok"), ""); !strings.Contains(got, "1 reservation, 1 of them") {
		t.Errorf("hardware: %q", got)
	}

	// Of takeovers its list, which the DHCPServices' role does not grant.
	s.kubectl(api, "", "patch", "role", "tugboot-takeover", "--namespace=eksa-system", "--type=json",
		`--patch=[{"op":"replace","path":"/rules/0/verbs","value":["watch"]}]`)
	d, code = s.doctor(flags...)
	want := "this account may not list takeovers.tugboot.dev in namespace eksa-system; `kubectl apply -k config/rbac/takeover`"
	if got := d.of("rights", "error"); code != 1 || d.Errors != 1 || len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Errorf("exit code %d, %d errors, %q, want %q", code, d.Errors, got, want)
	}

	// A kind that is not there, and an API that is not.
	s.kubectl(api, "", "apply", "--kustomize="+filepath.Join(config, "rbac", "takeover"))
	s.kubectl(api, "", "delete", "crd", "dhcpservices.tugboot.dev")
	d, _ = s.doctor(flags...)
	if got := d.of("crd", "error"); len(got) != 1 || !strings.HasPrefix(got[0], "the API does not serve dhcpservices.tugboot.dev") {
		t.Errorf("%q", got)
	}
	api.StopAPI()
	d, _ = s.doctor(flags...)
	if got := d.of("api", "error"); len(got) != 1 || !strings.Contains(got[0], "connection refused") {
		t.Errorf("%q", got)
	}
	mute, err := s.Server.Listen(strings.TrimPrefix(api.URL, "https://"))
	check(t, err)
	defer mute.Close()
	d, _ = s.doctor(append(flags, "--hook-url=http://192.168.2.222/hook")...)
	if got := d.of("api", "error"); len(got) != 1 || !strings.Contains(got[0], "nothing came within") || len(d.of("dhcp", "ok")) != 1 {
		t.Errorf("an API that accepts and says nothing: %q", got)
	}
}

// asTugboot is a copy of an administrator's kubeconfig that asks as the account that config/rbac grants rights to.
func asTugboot(t *testing.T, kubeconfig string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	check(t, err)
	for _, user := range config.AuthInfos {
		user.Impersonate = "system:serviceaccount:tugboot:tugboot"
		user.ImpersonateGroups = []string{"system:serviceaccounts", "system:serviceaccounts:tugboot", "system:authenticated"}
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	check(t, clientcmd.WriteToFile(*config, path))
	return path
}

// serveHook serves a kernel where the lab's Tugboot sends machines for it.
func (s *site) serveHook() {
	s.t.Helper()
	folder := s.t.TempDir()
	check(s.t, os.MkdirAll(filepath.Join(folder, "hook"), 0o755))
	check(s.t, os.WriteFile(filepath.Join(folder, "hook", "vmlinuz-x86_64"), []byte("kernel"), 0o600))
	files, err := s.ServeFiles(folder, nil)
	check(s.t, err)
	if _, port, err := net.SplitHostPort(strings.TrimPrefix(files.URL, "http://")); err != nil || port != "7180" {
		s.t.Fatalf("the file server is at %s, want port 7180: %v", files.URL, err)
	}
}

// TestDoctorAsAnotherUser: without rights, it says which are missing, and asks nobody.
func TestDoctorAsAnotherUser(t *testing.T) {
	t.Parallel()
	u := newUnprivileged(t, "doctor-user", "")
	u.args[1] = "doctor"
	out, err := u.Server.Run(suite.ctx, nil, u.as()...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{
		"FAIL  port        DHCP: 67/udp at 0.0.0.0 on s0 may not be taken", "FAIL  capability  NET_BIND_SERVICE is missing, which 67/udp, 69/udp, 514/udp, 514/tcp take: user 65532",
		"warn  capability  NET_RAW is missing: ", "warn  dhcp        another DHCP server was not looked for on s0: this process may not send a DISCOVER; run as root or grant the capability NET_RAW",
	} {
		if !slices.ContainsFunc(strings.Split(string(out), "\n"), func(line string) bool { return strings.HasPrefix(line, want) }) {
			t.Errorf("no line begins with %q:\n%s", want, out)
		}
	}
}
