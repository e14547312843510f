package ipxe

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

func TestUnknownScriptIsWellFormed(t *testing.T) {
	list := commands(t, strings.TrimSpace(UnknownScript()), map[string]bool{"netX/mac": true, "manufacturer": true, "product": true, "serial": true})
	if last := list[len(list)-1]; last.Name != "exit" || last.Words != 1 {
		t.Errorf("the script ends with %+v, want it to leave iPXE with a status", last)
	}
	for _, c := range list {
		switch c.Name {
		case "echo", "sleep", "exit", "":
		default:
			t.Errorf("the script runs %q on a machine that nobody knows", c.Name)
		}
	}
}

func TestUnknownMachinesAreGivenTheScript(t *testing.T) {
	known := &reservation.Reservation{MAC: reservation.MAC{0x52, 0x54, 0, 0, 0, 1}, Address: reservation.MustParsePrefix("192.168.2.11/24"), Settings: &reservation.Settings{}}
	snapshot := inventory.New([]*reservation.Reservation{known})
	get := func(unknown, path string) (Content, error) {
		c, err := NewCatalog(nil, func() *inventory.Snapshot { return snapshot }, endpoint, ScriptOptions{HookURL: "http://x/", Unknown: unknown}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Get(path, netip.MustParseAddr("192.168.2.201"))
	}
	stranger := reservation.MAC{0x52, 0x54, 0, 0, 0, 9}
	for path, mac := range map[string]reservation.MAC{"/52:54:00:00:00:09/auto.ipxe": stranger, "/ipxe/script/52-54-00-00-00-09/auto.ipxe": stranger, "/auto.ipxe": {}} {
		content, err := get("echo hello", path)
		if err != nil || string(content.Body) != "#!ipxe\necho hello" || content.Reason != boot.ReasonAutoScript || content.Machine != mac || content.Name != "auto.ipxe" {
			t.Errorf("%s: %+v, %v", path, content, err)
		}
		var refusal *Refusal
		if _, err := get("", path); !errors.As(err, &refusal) || refusal.Reason != boot.ReasonNotReserved {
			t.Errorf("%s without such a script: %v", path, err)
		}
	}
	// A machine with a reservation is never taken for one without.
	var refusal *Refusal
	if _, err := get("echo hello", "/52:54:00:00:00:01/auto.ipxe"); !errors.As(err, &refusal) || refusal.Reason != boot.ReasonNetbootNotAllowed {
		t.Errorf("a machine that may not netboot: %v", err)
	}
}

func TestUnknownScriptThatIsNone(t *testing.T) {
	err := ScriptOptions{Unknown: strings.Repeat("x", MaxUnknown+1)}.Validate()
	if err == nil || !strings.Contains(err.Error(), "unknown machines") || len(err.Error()) > 300 {
		t.Errorf("%.400v", err)
	}
	if err := (ScriptOptions{Unknown: strings.Repeat("x", MaxUnknown)}).Validate(); err != nil {
		t.Error(err)
	}
}
