package ipxe

import (
	_ "embed" // the script's text
	"fmt"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

//go:embed unknown.ipxe
var unknownText string

// UnknownScript returns the script for machines without a reservation that is built in: it says so on the screen and
// leaves iPXE, so that the firmware goes on to the next boot device.
func UnknownScript() string { return unknownText }

// MaxUnknown is the longest script for machines without a reservation, in bytes; what iPXE runs fits in it many times over.
const MaxUnknown = 64 << 10

func checkUnknown(text string) string {
	if len(text) > MaxUnknown {
		return fmt.Sprintf("it is %d bytes long, more than the %d of any script: is it one?", len(text), MaxUnknown)
	}
	return ""
}

// unknown is what a machine without a reservation is given in the script's place. The text is the site's own and the same
// for every machine: nothing of the machine's stands in it.
func (o ScriptOptions) unknown(mac reservation.MAC, name string) (Content, bool) {
	if o.Unknown == "" {
		return Content{}, false
	}
	return Content{Name: name, Body: []byte(asScript(o.Unknown)), Type: scriptType, Machine: mac, Reason: boot.ReasonAutoScript}, true
}
