package options

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func parseAgent(t *testing.T, args ...string) *Agent {
	t.Helper()
	o := &Agent{}
	f := pflag.NewFlagSet("agent", pflag.ContinueOnError)
	o.AddFlags(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAgentDefaults(t *testing.T) {
	for kind, want := range map[string]struct{ service, folder, main, reload string }{
		AgentDnsmasq: {"Dnsmasq", "/var/lib/tugboot/dhcp", "/etc/dnsmasq.conf", "systemctl kill --signal=HUP dnsmasq.service"},
		AgentISC:     {"ISC", "/etc/dhcp/tugboot", "/etc/dhcp/dhcpd.conf", "systemctl restart isc-dhcp-server.service"},
	} {
		o := parseAgent(t, "--type="+kind, "--name=office", "--kubeconfig=a", "--kubeconfig=b")
		if err := o.Validate(); err != nil {
			t.Fatal(err)
		}
		if string(o.Service) != want.service || o.Folder != want.folder || o.Main != want.main || !slices.Equal(o.ReloadArgs, strings.Fields(want.reload)) ||
			!slices.ContainsFunc(o.CheckArgs, func(s string) bool { return strings.Contains(s, MainPlace) }) || len(o.VersionCommand) != 2 {
			t.Errorf("%s: %+v", kind, o)
		}
	}
}

func TestAgentRefuses(t *testing.T) {
	good := []string{"--type=dnsmasq", "--name=office", "--kubeconfig=a"}
	for name, test := range map[string]struct {
		args []string
		says string // empty when the flags are right
	}{
		"commands":         {[]string{"--reload-command=service dnsmasq restart", "--check-command=/x/check {main}", "--alive-command=pgrep dnsmasq"}, ""},
		"type":             {[]string{"--type=kea"}, `--type "kea"`},
		"name":             {[]string{"--name=a b"}, `--name "a b"`},
		"namespace":        {[]string{"--namespace=A"}, `--namespace "A"`},
		"kubeconfig twice": {[]string{"--kubeconfig=a"}, "given twice"},
		"empty kubeconfig": {[]string{"--kubeconfig="}, `--kubeconfig ""`},
		"folder":           {[]string{"--folder=dhcp"}, `--folder "dhcp"`},
		"main":             {[]string{"--main-config=dnsmasq.conf"}, `--main-config "dnsmasq.conf"`},
		"state":            {[]string{"--state-dir="}, `--state-dir ""`},
		"blank command":    {[]string{"--alive-command= "}, `--alive-command " "`},
		"shell":            {[]string{"--reload-command=sh -c 'a b'"}, "no shell reads it"},
		"check":            {[]string{"--check-command=dnsmasq --test"}, "{main} is not in it"},
		"level":            {[]string{"--log-level=loud"}, `--log-level "loud"`},
		"format":           {[]string{"--log-format=xml"}, `--log-format "xml"`},
	} {
		t.Run(name, func(t *testing.T) {
			err := parseAgent(t, append(slices.Clone(good), test.args...)...).Validate()
			if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
	if err := parseAgent(t, "--type=isc", "--name=office").Validate(); err == nil || !strings.Contains(err.Error(), "--kubeconfig: not given") {
		t.Errorf("without a cluster: %v", err)
	}
}
