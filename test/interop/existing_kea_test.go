package interop

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/dhcpservice/kea"
	rendered "github.com/tugboot/tugboot/internal/render/kea"
	"github.com/tugboot/tugboot/test/lab"
)

// keaOwn is what an operator's Kea says by itself: classes before and after ours in the alphabet, one with marks of
// somebody else's, options, and a machine.
const keaOwn = `"valid-lifetime": 4000, "authoritative": true,
"option-data": [{"name": "domain-name", "data": "operator.example"}],
"client-classes": [{"name": "aaa-phones", "test": "substring(option[60].hex,0,5) == 'phone'", "option-data": [{"name": "domain-name", "data": "phones"}]},
  {"name": "zzz-printers", "test": "member('KNOWN')", "user-context": {"owner": "operations", "ticket": 17}}],
"subnet4": [{"id": 7, "subnet": "10.9.0.0/16", "user-context": {"rack": "b"}, "option-data": [{"name": "routers", "data": "10.9.0.254"}],
  "reservations": [{"hw-address": "52:54:00:e1:00:01", "ip-address": "10.9.200.1", "hostname": "printer",
    "option-data": [{"name": "log-servers", "data": "10.9.0.9"}], "user-context": {"owner": "operations"}}]}]`

// An existing Kea is told what to say over its control socket.
func TestExistingKea(t *testing.T) {
	t.Parallel()
	for _, d := range daemons(t, lab.Kea) {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			e := newExisting(t, d)
			e.checks(rendered.Render, func(whole string) string { return strings.Replace(whole, `"hw-address"`, `"mac"`, 1) })
			e.configure(e.foreign.KeaOperator(keaOwn))
			before := e.keaWithoutOurs()
			driver, err := kea.New(kea.Options{URL: "unix://" + e.foreign.Socket, Subnets: []netip.Prefix{existingNet}})
			e.must(err)
			e.driver = driver
			e.story(e.spoilKea)
			if diff := cmp.Diff(before, e.keaWithoutOurs()); diff != "" {
				t.Errorf("the operator's own configuration (-before +after):\n%s", diff)
			}
		})
	}
}

// keaConfig is Kea's whole configuration, as it tells it.
func (e *existing) keaConfig() map[string]any {
	e.t.Helper()
	answer, err := e.foreign.KeaCommand(e.ctx, "config-get", nil)
	e.must(err)
	var config map[string]any
	e.must(json.Unmarshal(answer, &config))
	return map[string]any{"Dhcp4": config["Dhcp4"]} // newer ones tell a digest of it too
}

// keaWithoutOurs is the configuration without the classes and reservations of the cluster.
func (e *existing) keaWithoutOurs() map[string]any {
	e.t.Helper()
	config := e.keaConfig()
	dhcp4 := config["Dhcp4"].(map[string]any)
	ours := func(name any) bool { return name == "tugboot-lab" || strings.HasPrefix(name.(string), "tugboot-lab-") }
	dhcp4["client-classes"] = slices.DeleteFunc(dhcp4["client-classes"].([]any), func(c any) bool { return ours(c.(map[string]any)["name"]) })
	for _, s := range dhcp4["subnet4"].([]any) {
		subnet := s.(map[string]any)
		subnet["reservations"] = slices.DeleteFunc(subnet["reservations"].([]any), func(r any) bool {
			return slices.ContainsFunc(r.(map[string]any)["client-classes"].([]any), ours)
		})
	}
	return config
}

// spoilKea has the operator give the address of the fourth machine to a machine of their own.
func (e *existing) spoilKea() func() {
	e.t.Helper()
	good, spoilt := e.keaConfig(), e.keaConfig()
	subnet := spoilt["Dhcp4"].(map[string]any)["subnet4"].([]any)[0].(map[string]any)
	subnet["reservations"] = append(subnet["reservations"].([]any), map[string]any{"hw-address": "52:54:00:e1:00:02",
		"ip-address": wanted(4, bootstrapAddr, 0).Networks[0].Reservations[3].Address.Addr()})
	set := func(config map[string]any) {
		e.t.Helper()
		_, err := e.foreign.KeaCommand(e.ctx, "config-set", config)
		e.must(err)
	}
	set(spoilt)
	return func() { set(good) }
}
