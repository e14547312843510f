package ipxe

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Catalog is the Source of everything a machine boots from. It is safe for concurrent use.
type Catalog struct {
	library  *Library
	snapshot func() *inventory.Snapshot
	endpoint func() boot.Endpoint
	options  ScriptOptions
	report   func(reservation.Problem)
	scripts  scripts
}

// NewCatalog returns a catalog of the library's binaries, of the options' images and of scripts made for the reservations in force. Each value
// that keeps a script from being made is handed to report each time the script is asked for. Invalid options are an
// error that names them all.
func NewCatalog(library *Library, snapshot func() *inventory.Snapshot, endpoint func() boot.Endpoint, o ScriptOptions,
	report func(reservation.Problem)) (*Catalog, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Catalog{library: library, snapshot: snapshot, endpoint: endpoint, options: o, report: report}, nil
}

// Get returns what the client at an address is given at a path. The machine is the one whose MAC stands in the path,
// else the one whose address asks.
func (c *Catalog) Get(path string, client netip.Addr) (Content, error) {
	e := c.endpoint()
	target := Resolve(path, e.ScriptPath)
	r, known := c.machine(target.MAC, client)
	var content Content
	switch target.Kind {
	case KindScript:
		if !known {
			if content, given := c.options.unknown(target.MAC, target.File); given {
				return content, nil
			}
			return Content{}, notReserved(target.MAC, client)
		}
		if c.options.OnlyMachine && !mayFetch(r, client, c.snapshot()) {
			return Content{}, c.notTheMachine(r, client, e)
		}
		return c.scripts.get(r, e, target.File, func() (Content, error) { return c.script(r, e, target.File) })
	case KindAutoexec:
		content = Content{Name: autoexecName, Body: []byte(autoexecText), Type: scriptType, Reason: ReasonAutoexec}
	case KindBinary:
		content = c.library.get(target.File)
	case KindImage:
		content = c.options.image(target.File)
	case KindNone:
	}
	if known {
		content.Machine = r.MAC
	}
	if content.Body == nil && content.Open == nil {
		return Content{}, &Refusal{Reason: ReasonNoSuchFile, Machine: content.Machine, Message: fmt.Sprintf(
			"no file %.100q here: there are %s, %s and %s", path, scriptName, autoexecName, strings.Join(c.library.Names(), ", "))}
	}
	return content, nil
}

const scriptType = "text/plain; charset=utf-8"

// machine finds the reservation by MAC where there is one, else by address.
func (c *Catalog) machine(m reservation.MAC, client netip.Addr) (*reservation.Reservation, bool) {
	if m.IsZero() {
		return c.snapshot().ByAddress(client)
	}
	return c.snapshot().ByMAC(m)
}

func notReserved(m reservation.MAC, client netip.Addr) *Refusal {
	who := "MAC " + m.String()
	if m.IsZero() {
		who = fmt.Sprintf("address %v (or put the machine's MAC before %s in the path)", client.Unmap(), scriptName)
	}
	return &Refusal{Reason: boot.ReasonNotReserved, Message: "no reservation for the " + who +
		": no Hardware has it, or the one that has it is not valid and its Events say why"}
}

// script makes the script of a machine. Whether it is given one is boot.Decide's word on an iPXE that says our user
// class; a boot file of the Hardware's own does not matter any more once somebody asks for the script.
func (c *Catalog) script(r *reservation.Reservation, e boot.Endpoint, name string) (Content, error) {
	asking, settings := *r, *r.Settings
	asking.Settings = &settings // others share what r has
	settings.Netboot.TFTPServerName, settings.Netboot.BootFileName = "", ""
	d := boot.Decide(boot.Client{MAC: r.MAC, Netboot: true, VendorClass: boot.VendorPXEClient, UserClass: boot.UserClassTinkerbell},
		&asking, e)
	if d.Action == boot.Boot && !e.Addr.IsValid() {
		d = boot.Decision{Reason: boot.ReasonHTTPNotServed}
	}
	if d.Action != boot.Boot {
		return Content{}, refused(r, d.Reason)
	}
	reason := d.Reason
	if reason == boot.ReasonScript && r.Netboot.IPXEContents != "" {
		reason = ReasonScriptContents
	}
	if reason == boot.ReasonScript && c.options.base(e) == "" && r.Netboot.OSIE.BaseURL == "" {
		return Content{}, refused(r, ReasonHookURLMissing)
	}
	text, problems := c.options.render(r, e, d)
	if len(problems) > 0 {
		return Content{}, c.refuseValues(r, problems)
	}
	return Content{Name: name, Body: []byte(text), Type: scriptType, Machine: r.MAC, Reason: reason}, nil
}

// refused words why the machine is given no script.
func refused(r *reservation.Reservation, why boot.Reason) *Refusal {
	words := fmt.Sprintf("this machine is given nothing to boot (%s)", why)
	switch why {
	case boot.ReasonNetbootNotAllowed:
		words = "netboot.allowPXE is not true: set it to boot this machine from the network"
	case boot.ReasonNetbootWithheld:
		words = "what the Hardware says to boot is not valid, so nothing is booted: see its Events, and correct it"
	case boot.ReasonHTTPNotServed:
		words = "this Tugboot advertises no HTTP address, which the script needs: give it one to listen on"
	case ReasonHookURLMissing:
		words = "nobody says where the installer's kernel and initrd are: start Tugboot with a hook URL or folder, or set netboot.osie.baseURL"
	}
	return &Refusal{Reason: why, Machine: r.MAC, Message: oneLine(r.Source.String() + ": " + words),
		Invalid: why == boot.ReasonNetbootWithheld}
}

// refuseValues reports every problem, and tells the one who asks the first.
func (c *Catalog) refuseValues(r *reservation.Reservation, problems []reservation.Problem) *Refusal {
	for _, p := range problems {
		c.report(p)
	}
	message := problems[0].Error()
	if more := len(problems) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	return &Refusal{Reason: ReasonScriptValueRefused, Machine: r.MAC, Message: oneLine(message), Invalid: true}
}

// oneLine replaces what could break out of a line: the name of a reservation's source may be a file's.
func oneLine(message string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, message)
}
