package cli

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

var (
	bootstrapIP  = netip.MustParseAddr("192.168.2.112")
	tinkerbellIP = netip.MustParseAddr("192.168.2.50")
)

// bootstrapStack is a stack at the bootstrap IP, not started.
func bootstrapStack(log logr.Logger) *stack {
	s := &stack{log: log, endpoint: boot.Endpoint{
		Addr: bootstrapIP, TFTPPort: 69, HTTPPort: 7171, ScriptPath: boot.DefaultScriptPath, UserClass: "acme",
		Binaries: boot.NewBinaries(map[boot.Family]string{boot.FamilyBIOS: "undionly.kpxe", boot.FamilyX64: "ipxe.efi"}, []string{"snponly.efi"}),
	}}
	s.self.Store(firstSelf(&options.Serve{}, s.endpoint))
	return s
}

// management is the other stack, as it is seen from outside.
func management() takeover.Endpoint {
	return takeover.Endpoint{Addr: tinkerbellIP, TFTPPort: 69, HTTPPort: 7080, ScriptPath: "/x/auto.ipxe", BootFiles: "uefi-x86-64=snp.efi"}
}

func TestStanceBecomesOneValue(t *testing.T) {
	own := bootstrapStack(logr.Discard()).endpoint
	ports := func(e boot.Endpoint, tftp, http uint16) boot.Endpoint {
		e.TFTPPort, e.HTTPPort = tftp, http
		return e
	}
	nowhere := func(e boot.Endpoint) boot.Endpoint {
		e.Addr = netip.Addr{}
		return ports(e, 0, 0)
	}
	there := boot.Endpoint{
		Addr: tinkerbellIP, TFTPPort: 69, HTTPPort: 7080, ScriptPath: "/x/auto.ipxe", UserClass: "acme",
		Binaries: boot.NewBinaries(map[boot.Family]string{boot.FamilyX64: "snp.efi"}, nil),
	}
	old := management()
	old.HTTPPort, old.ScriptPath = 80, "/auto.ipxe"
	oldThere := ports(there, 69, 80)
	oldThere.ScriptPath, oldThere.BySource = "/auto.ipxe", true
	for name, test := range map[string]struct {
		stance takeover.Stance
		want   dhcp4.Self
	}{
		"silent":                {takeover.Stance{Silent: true, Reason: "RoleUnknown", Advertise: management()}, dhcp4.Self{Endpoint: own, Quiet: "RoleUnknown"}},
		"silent without a word": {takeover.Stance{Silent: true}, dhcp4.Self{Endpoint: own, Quiet: "TakeoverPending"}},
		"silent with text":      {takeover.Stance{Silent: true, Reason: "no idea\n"}, dhcp4.Self{Endpoint: own, Quiet: "TakeoverPending"}},
		"nothing to advertise":  {takeover.Stance{}, dhcp4.Self{Endpoint: own, Quiet: "TakeoverPending"}},
		"own":                   {takeover.Stance{Advertise: takeover.Endpoint{Addr: bootstrapIP}}, dhcp4.Self{Endpoint: own}},
		"own, seen otherwise": {takeover.Stance{Advertise: takeover.Endpoint{Addr: bootstrapIP, TFTPPort: 1069, BootFiles: "what?"}},
			dhcp4.Self{Endpoint: own}},
		"the other":             {takeover.Stance{Advertise: management()}, dhcp4.Self{Endpoint: there}},
		"the other, old":        {takeover.Stance{Advertise: old}, dhcp4.Self{Endpoint: oldThere}},
		"the other, withheld":   {takeover.Stance{Advertise: management(), Withheld: true}, dhcp4.Self{Endpoint: nowhere(there)}},
		"own, withheld":         {takeover.Stance{Advertise: takeover.Endpoint{Addr: bootstrapIP}, Withheld: true}, dhcp4.Self{Endpoint: nowhere(own)}},
		"during the change":     {takeover.Stance{Advertise: management(), Also: tinkerbellIP}, dhcp4.Self{Endpoint: there, Servers: dhcp4.Servers{Also: []netip.Addr{tinkerbellIP}}}},
		"also itself":           {takeover.Stance{Advertise: management(), Also: bootstrapIP}, dhcp4.Self{Endpoint: there}},
		"silent, and a machine": {takeover.Stance{Silent: true, Reason: "X", Also: tinkerbellIP}, dhcp4.Self{Endpoint: own, Quiet: "X", Servers: dhcp4.Servers{Also: []netip.Addr{tinkerbellIP}}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := bootstrapStack(logr.Discard())
			s.setStance(test.stance)
			test.want.ID = bootstrapIP
			got := s.self.Load()
			if got.Quiet == "" && got.Endpoint.Binaries.String() != test.want.Endpoint.Binaries.String() {
				t.Errorf("binaries %v, want %v", got.Endpoint.Binaries, test.want.Endpoint.Binaries)
			}
			if !reflect.DeepEqual(*got, test.want) {
				t.Errorf("%+v, want %+v", *got, test.want)
			}
			if !reflect.DeepEqual(s.ownFiles(), own) {
				t.Error("what is served here has changed with what is advertised")
			}
		})
	}
}

// TestAnswersFollowTheStance walks every kind of client: nobody is told of a stack that is not the advertised one.
func TestAnswersFollowTheStance(t *testing.T) {
	s := bootstrapStack(logr.Discard())
	machine := &reservation.Reservation{MAC: reservation.MAC{0x52, 0x54, 0, 0, 2, 1}, Settings: &reservation.Settings{Netboot: reservation.Netboot{Allow: true}}}
	scripted := &reservation.Reservation{MAC: machine.MAC, Settings: &reservation.Settings{Netboot: reservation.Netboot{Allow: true, IPXEURL: "http://192.168.2.9/own.ipxe"}}}
	for name, test := range map[string]struct {
		stance takeover.Stance
		want   string
		boots  bool
	}{
		"own":       {takeover.Stance{Advertise: s.ownEndpoint()}, "192.168.2.112", true},
		"the other": {takeover.Stance{Advertise: management()}, "192.168.2.50", true},
		"withheld":  {takeover.Stance{Advertise: management(), Withheld: true}, "", false},
	} {
		s.setStance(test.stance)
		e, booted := s.self.Load().Endpoint, 0
		for _, rule := range boot.Table(s.endpoint) {
			d := boot.Decide(rule.Client, machine, e)
			if d.Action == boot.AddressOnly {
				continue
			}
			booted++
			if d.NextServer.String() != test.want || strings.Contains(d.BootFile, "://") && !strings.Contains(d.BootFile, test.want) {
				t.Errorf("%s: %s is sent to %v for %s", name, rule.Name, d.NextServer, d.BootFile)
			}
		}
		if booted > 0 != test.boots {
			t.Errorf("%s: %d kinds of clients are given something to boot", name, booted)
		}
		tinkerbell := boot.Table(s.endpoint)[0].Client
		if d := boot.Decide(tinkerbell, scripted, e); d.BootFile != scripted.Netboot.IPXEURL || d.NextServer.IsValid() == !test.boots {
			t.Errorf("%s: a machine with a script of its own is sent to %v for %s", name, d.NextServer, d.BootFile)
		}
	}
}

func TestStanceThatCannotBeTold(t *testing.T) {
	for name, change := range map[string]func(*takeover.Endpoint){
		"IPv6":             func(e *takeover.Endpoint) { e.Addr = netip.MustParseAddr("fd00::1") },
		"no path":          func(e *takeover.Endpoint) { e.ScriptPath = "" },
		"a path of a host": func(e *takeover.Endpoint) { e.ScriptPath = "//evil/auto.ipxe" },
		"iPXE in the path": func(e *takeover.Endpoint) { e.ScriptPath = "/${net0/mac}/auto.ipxe" },
		"a line's end":     func(e *takeover.Endpoint) { e.ScriptPath = "/auto.ipxe\nshell" },
		"boot files":       func(e *takeover.Endpoint) { e.BootFiles = "uefi-x86-64=../../etc/passwd" },
		"boot files, rest": func(e *takeover.Endpoint) { e.BootFiles = "all of them" },
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			s := bootstrapStack(funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{}))
			s.setStance(takeover.Stance{Advertise: management()})
			before, bad := s.self.Load(), management()
			change(&bad)
			s.setStance(takeover.Stance{Advertise: bad})
			if s.self.Load() != before {
				t.Errorf("put in force: %+v", s.self.Load().Endpoint)
			}
			if len(lines) != 1 || !strings.Contains(lines[0], "stays as it was") || strings.Contains(lines[0], "\n") {
				t.Errorf("said %q", lines)
			}
		})
	}
}

func TestOwnEndpointComesBackAsItIs(t *testing.T) {
	s := bootstrapStack(logr.Discard())
	s.setStance(takeover.Stance{Advertise: s.ownEndpoint()})
	if e := s.self.Load().Endpoint; !reflect.DeepEqual(e, s.endpoint) || !e.Binaries.Has("snponly.efi") {
		t.Errorf("%+v", e)
	}
	// a process that answers DHCP only, beside a stack that serves the files at the same address
	s.endpoint.TFTPPort, s.endpoint.HTTPPort, s.endpoint.Binaries = 0, 0, nil
	if e := s.ownEndpoint(); e != (takeover.Endpoint{Addr: bootstrapIP}) {
		t.Errorf("serves nothing, and says %+v", e)
	}
	seen := management()
	seen.Addr = bootstrapIP
	s.setStance(takeover.Stance{Advertise: seen})
	if e := s.self.Load().Endpoint; e.Addr != bootstrapIP || e.HTTPPort != 7080 || e.Binaries.For(boot.FamilyX64) != "snp.efi" {
		t.Errorf("%+v, want what was seen there", e)
	}
}

func TestFirstSelf(t *testing.T) {
	own := boot.Endpoint{Addr: bootstrapIP, HTTPPort: 7171}
	for name, test := range map[string]struct {
		takeover options.Takeover
		hardware string
		want     boot.Reason
	}{
		"no takeover":                {options.Takeover{Role: "auto"}, "", ""},
		"a takeover":                 {options.Takeover{Role: "auto", Namespace: "eksa-system"}, "", "TakeoverPending"},
		"the management cluster":     {options.Takeover{Role: "management", Namespace: "eksa-system"}, "", "TakeoverPending"},
		"the bootstrap cluster":      {options.Takeover{Role: "bootstrap", Namespace: "eksa-system"}, "", ""},
		"a host beside the clusters": {options.Takeover{Role: "auto", ManagementKubeconfig: "k"}, "hardware.csv", ""},
	} {
		self := firstSelf(&options.Serve{Takeover: test.takeover, Source: options.Source{Hardware: test.hardware}}, own)
		if self.Quiet != test.want || self.ID != bootstrapIP || self.Endpoint != own {
			t.Errorf("%s: %+v, want quiet %q", name, self, test.want)
		}
	}
}

func TestStateFolderThatIsNone(t *testing.T) {
	file := filepath.Join("..", "..", "examples", "hardware.csv")
	var stdout, stderr strings.Builder
	code := Run([]string{"serve", "--advertise=192.0.2.1", "--tftp=off", "--http=off", "--syslog=off", "--hardware=" + file, "--management-kubeconfig=k",
		"--state-dir=" + file}, strings.NewReader(""), &stdout, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "--state-dir") || !strings.Contains(stderr.String(), file) {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
