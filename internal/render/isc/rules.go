package isc

import (
	"fmt"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
)

// ruleLines are the boot rules, one on each line, for clients that say that they boot from the network; none where there
// is nothing to boot.
func ruleLines(w render.Word) ([]string, error) {
	e, err := w.Endpoint()
	if err != nil || !e.Addr.IsValid() {
		return nil, err
	}
	all := []string{"  if " + vendor(boot.VendorPXEClient) + " or " + vendor(boot.VendorHTTPClient) + " {"}
	word := "if"
	for _, rule := range boot.Table(e) {
		if !rendered(rule) {
			continue
		}
		all = append(all, fmt.Sprintf("    %s %s {%s }", word, condition(rule), body(rule.Decision)))
		word = "elsif"
	}
	return append(all, rulesClose), nil
}

// rulesClose ends the rules.
const rulesClose = "  }"

// rendered reports whether a rule has a line. A rule of a user class that boots nothing has one, so that its clients are
// not taken for firmware. dhcpd does not tell an old iPXE from another, and has no menu for one kind of board.
func rendered(rule boot.Rule) bool {
	if rule.Client.UserClass != "" {
		return rule.Archs == nil
	}
	return rule.Decision.Action == boot.Boot && !rule.Decision.RaspberryPiMenu
}

func condition(rule boot.Rule) string {
	if class := rule.Client.UserClass; class != "" {
		n := len(class) + 1
		return begins("user-class", class, n) + " or " + begins("user-class", string(rune(len(class)))+class, n)
	}
	archs := make([]string, 0, len(rule.Archs))
	for _, a := range rule.Archs {
		archs = append(archs, fmt.Sprintf("substring(option pxe-system-type, 0, 2) = %02x:%02x", byte(a>>8), byte(a)))
	}
	return vendor(rule.Client.VendorClass) + " and (" + strings.Join(archs, " or ") + ")"
}

// vendor is true for clients whose option 60 begins with the class.
func vendor(class boot.VendorClass) string {
	return begins("vendor-class-identifier", class.String(), len(class.String()))
}

// begins is true when the first n bytes of the option are text. With n one more than text has, only the whole option is:
// so a user class is matched raw, and as the first of the list of RFC 3004, where its length stands before it.
func begins(option, text string, n int) string {
	q, ok := quote(text)
	if !ok {
		q = `""`
	}
	return fmt.Sprintf("substring(option %s, 0, %d) = %s", option, n, q)
}

// body are the statements of a rule. Option 60 is told whether it was asked for or not: firmware that boots by HTTP
// refuses an answer without it.
func body(d boot.Decision) string {
	if d.Action != boot.Boot {
		return ""
	}
	text := " next-server " + d.NextServer.String() + ";"
	if server, ok := quote(d.ServerName); ok {
		text += " server-name " + server + ";"
	}
	if file, ok := quote(d.BootFile); ok {
		text += " filename " + file + ";"
	}
	if class, ok := quote(d.VendorClass.String()); ok {
		text += " option vendor-class-identifier " + class + "; option dhcp-parameter-request-list = concat(option dhcp-parameter-request-list, 3c);"
	}
	return text
}
