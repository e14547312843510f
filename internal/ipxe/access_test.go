package ipxe

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// secondInterface belongs to the same Hardware as machine, stranger to another.
func secondInterface() *reservation.Reservation {
	return machine(func(r *reservation.Reservation) {
		r.MAC[5], r.Address, r.Source.Interface = 0x57, reservation.MustParsePrefix("192.168.3.10/24"), 1
	})
}

func stranger() *reservation.Reservation {
	return machine(func(r *reservation.Reservation) {
		r.MAC[5], r.Address, r.Source.Name = 0x99, reservation.MustParsePrefix("192.168.2.99/24"), "eksa-wk99"
	})
}

func TestWhoMayFetchAScript(t *testing.T) {
	only := siteOptions()
	only.OnlyMachine = true
	const byMAC, bySource = "/ipxe/script/52:54:00:12:34:56/auto.ipxe", "/auto.ipxe"
	for name, tc := range map[string]struct {
		options      ScriptOptions
		path, client string
		want         boot.Reason
	}{
		"the machine":                       {only, byMAC, "192.168.2.10", boot.ReasonScript},
		"the machine, as IPv6 writes it":    {only, byMAC, "::ffff:192.168.2.10", boot.ReasonScript},
		"the machine, by its address":       {only, bySource, "192.168.2.10", boot.ReasonScript},
		"its other interface":               {only, byMAC, "192.168.3.10", boot.ReasonScript},
		"this host":                         {only, byMAC, "127.0.0.1", boot.ReasonScript},
		"another machine":                   {only, byMAC, "192.168.2.99", ReasonNotTheMachine},
		"another machine, with its own MAC": {only, "/52:54:00:12:34:99/auto.ipxe", "192.168.2.99", boot.ReasonScript},
		"nobody known":                      {only, byMAC, "192.168.2.200", ReasonNotTheMachine},
		"nobody known asks for nobody":      {only, "/52:54:00:00:00:01/auto.ipxe", "192.168.2.200", boot.ReasonNotReserved},
		"no address":                        {only, byMAC, "", ReasonNotTheMachine},
		"anyone":                            {siteOptions(), byMAC, "192.168.2.200", boot.ReasonScript},
		"a binary":                          {only, "/52:54:00:12:34:56/ipxe.efi", "192.168.2.200", ReasonBinary},
		"autoexec.ipxe":                     {only, "/52:54:00:12:34:56/autoexec.ipxe", "192.168.2.200", ReasonAutoexec},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := catalog(t, tc.options, endpoint(), machine(nil), secondInterface(), stranger())
			var client netip.Addr
			if tc.client != "" {
				client = netip.MustParseAddr(tc.client)
			}
			content, err := c.Get(tc.path, client)
			got := content.Reason
			var refusal *Refusal
			if errors.As(err, &refusal) {
				got = refusal.Reason
			}
			if got != tc.want {
				t.Fatalf("%s (%v), want %s", got, err, tc.want)
			}
			if got != ReasonNotTheMachine {
				return
			}
			if !refusal.Forbidden || refusal.Machine != machineMAC || !strings.Contains(refusal.Message, "52:54:00:12:34:56") ||
				strings.Contains(refusal.Message, "192.168.2.10") || strings.Contains(refusal.Message, "eksa-wk01") || strings.Contains(refusal.Message, "\n") {
				t.Errorf("%+v", refusal)
			}
		})
	}
}

// What a probe sees in the place of a script names the stack's Tink server, and nothing of the machine.
func TestProbesSeeNoScript(t *testing.T) {
	only := siteOptions()
	only.OnlyMachine = true
	secret := func(edit func(*reservation.Reservation)) *reservation.Reservation {
		return machine(func(r *reservation.Reservation) {
			r.Netboot.OSIE.KernelParams = []string{"token=secret"}
			edit(r)
		})
	}
	for name, tc := range map[string]struct {
		edit func(*reservation.Reservation)
		says string
		none bool
	}{
		"a script":            {func(*reservation.Reservation) {}, "grpc_authority=192.168.2.112:42113", false},
		"a script of its own": {func(r *reservation.Reservation) { r.Netboot.IPXEContents = "token=secret" }, "#!ipxe", false},
		"not allowed":         {func(r *reservation.Reservation) { r.Netboot.Allow = false }, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := catalog(t, only, endpoint(), secret(tc.edit))
			_, err := c.Get("/52:54:00:12:34:56/auto.ipxe", netip.MustParseAddr("192.168.2.200"))
			var refusal *Refusal
			if !errors.As(err, &refusal) {
				t.Fatal(err)
			}
			got := string(refusal.ForProbes)
			if tc.none != (got == "") || !strings.Contains(got, tc.says) || strings.Contains(got, "secret") || strings.Contains(got, "52:54") {
				t.Errorf("a probe sees %q", got)
			}
		})
	}
}
