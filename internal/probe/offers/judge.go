package offers

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Field is what of the answers is wrong.
type Field string

// The fields, the worst first.
const (
	FieldAnswer      Field = "answer"      // none, or a refusal
	FieldAddress     Field = "address"     // yiaddr
	FieldBootFile    Field = "boot file"   // file and option 67
	FieldNextServer  Field = "next-server" // siaddr
	FieldVendorClass Field = "option 60"
	FieldNetmask     Field = "netmask" // option 1
	FieldServer      Field = "server"  // a second one
)

var fields = []Field{FieldAnswer, FieldAddress, FieldBootFile, FieldNextServer, FieldVendorClass, FieldNetmask, FieldServer}

// Finding is one thing in which the answers to a question differ from the intent.
type Finding struct {
	MAC  reservation.MAC
	Kind string
	// Server is whose answer it is: its server identifier, else its address. It is the zero Addr when
	// nobody answered, or several did.
	Server netip.Addr
	Field  Field
	// Got and Want are the two values as texts; Got comes from the network.
	Got, Want string
	// Why is what follows from it, or what to look at.
	Why string
}

// String is the finding as one line, whatever stands in it.
func (f Finding) String() string {
	who := ""
	if f.Server.IsValid() {
		who = " by " + f.Server.String()
	}
	return fmt.Sprintf("%s as %s: %s%s: got %+.80q, want %+.80q: %s", f.MAC, f.Kind, f.Field, who, f.Got, f.Want, f.Why)
}

// worst orders findings, the worst first.
func worst(a, b Finding) int { return slices.Index(fields, a.Field) - slices.Index(fields, b.Field) }

// Intent is what answers are judged against.
type Intent struct {
	// Endpoint is what machines are to be told; the zero Endpoint for nothing to boot.
	Endpoint boot.Endpoint
	// Servers and OldIPXEGetsScript are those of Options.
	Servers           []netip.Addr
	OldIPXEGetsScript bool
}

// Judge compares the answers to a client of kind k, which is one of Kinds(i.Endpoint), with the intent, and returns how
// they differ, in the order of the answers; nothing when they agree. With a reservation, address and netmask are
// compared too. A boot file is right as the rule of k has it, or as boot.Decide has it for the machine itself: existing
// services give every machine the same URL, Tugboot's own server each its own. Where a proxy answers too, it and the server of
// addresses are judged by what is theirs to say. What counts is what firmware reads: the
// next-server in siaddr, for UEFI reads no option 66, and the boot file in the field or in option 67.
func Judge(k Kind, mac reservation.MAC, r *reservation.Reservation, i Intent, offers []Offer) []Finding {
	return judge{kind: k, mac: mac, reservation: r, wanted: i.wanted(k, mac)}.all(offers, i.Servers)
}

// JudgeAddress is Judge without the boot files, for one who does not know what is to be booted: it looks at who answers,
// and with a reservation at the address.
func JudgeAddress(k Kind, mac reservation.MAC, r *reservation.Reservation, servers []netip.Addr, offers []Offer) []Finding {
	return judge{kind: k, mac: mac, reservation: r}.all(offers, servers)
}

// all judges all answers.
func (j judge) all(offers []Offer, servers []netip.Addr) []Finding {
	if len(offers) == 0 {
		j.add(netip.Addr{}, FieldAnswer, "none", "an offer", "no DHCP server answered: does it run, does it know this MAC, does it serve the network that was asked on?")
	}
	j.proxied = slices.ContainsFunc(offers, Offer.Proxy)
	for _, o := range offers {
		j.answer(o)
	}
	j.addressGiven(offers)
	j.servers(offers, servers)
	return j.findings
}

// wanted are the decisions that count as right, the one to name first.
func (i Intent) wanted(k Kind, mac reservation.MAC) []boot.Decision {
	c := k.Client()
	c.MAC = mac
	wanted := []boot.Decision{k.Want, boot.Decide(c, allowed, i.Endpoint)}
	if k.Stage == StageOldIPXE && i.OldIPXEGetsScript {
		c.IPXE = boot.IPXEInfo{HTTP: true, Version: versionIPXE}
		c.MAC = reservation.MAC{}
		wanted = append(wanted, boot.Decide(c, allowed, i.Endpoint))
	}
	return wanted
}

// allowed is a machine that may boot; an existing service knows no others.
var allowed = &reservation.Reservation{Settings: &reservation.Settings{Netboot: reservation.Netboot{Allow: true}}}

type judge struct {
	kind        Kind
	mac         reservation.MAC
	reservation *reservation.Reservation
	wanted      []boot.Decision
	proxied     bool // a proxy is among those who answered
	findings    []Finding
}

func (j *judge) add(server netip.Addr, field Field, got, want, why string) {
	j.findings = append(j.findings, Finding{MAC: j.mac, Kind: j.kind.Name, Server: server, Field: field, Got: got, Want: want, Why: why})
}

// answer judges one answer.
func (j *judge) answer(o Offer) {
	server := o.server()
	if o.Message == MessageNAK {
		j.add(server, FieldAnswer, "NAK", "ACK", "the server refuses what it has offered: look into its log")
		return
	}
	if r := j.reservation; r != nil && !o.Proxy() {
		if o.Address != r.Address.Addr() {
			j.add(server, FieldAddress, text(o.Address), r.Address.Addr().String(), "not the reserved address: this server does not know the reservation")
		}
		if o.Mask != r.Address.Bits() {
			j.add(server, FieldNetmask, mask(o.Mask), mask(r.Address.Bits()), "not the netmask of the subnet")
		}
	}
	// Beside a proxy, a server of addresses says nothing of booting; and a proxy that names no file says it at port 4011.
	if j.wanted != nil && (!j.proxied || o.BootFile() != "") {
		j.bootFile(o)
	}
}

// addressGiven looks whether somebody gives an address where a proxy answered, which does not.
func (j *judge) addressGiven(offers []Offer) {
	if !j.proxied || slices.ContainsFunc(offers, func(o Offer) bool { return o.Address.IsValid() }) {
		return
	}
	want := "an address"
	if j.reservation != nil {
		want = text(j.reservation.Address.Addr())
	}
	j.add(netip.Addr{}, FieldAddress, "none", want, "only a proxy answered, which gives no address: does the DHCP server run, and does it know this MAC?")
}

// bootFile judges what an answer gives to boot.
func (j *judge) bootFile(o Offer) {
	server, file, want := o.server(), o.BootFile(), j.wanted[0]
	if i := slices.IndexFunc(j.wanted, func(d boot.Decision) bool { return d.BootFile == file }); i >= 0 {
		want = j.wanted[i]
	} else {
		j.add(server, FieldBootFile, file, want.BootFile, j.wrongFile(o, want))
	}
	if o.File != "" && o.Option67 != "" && o.File != o.Option67 {
		j.add(server, FieldBootFile, o.File+" in the file field, "+o.Option67+" in option 67", want.BootFile, "some firmware reads the one, some the other: let both say the same")
	}
	j.nextServer(o, want)
	j.vendorClass(o, want)
}

// wrongFile says what becomes of a machine that is given this file.
func (j *judge) wrongFile(o Offer, want boot.Decision) string {
	switch {
	case want.Action == boot.AddressOnly:
		return "nothing is to be booted by this client: " + string(want.Reason)
	case o.BootFile() == "":
		return "the machine gets its address and nothing to boot: no rule of this server matches this client"
	case strings.HasPrefix(want.BootFile, "http") && j.kind.UserClass != "" && !strings.Contains(o.BootFile(), "://"):
		return "iPXE is given a binary where the script belongs, and boots it for ever"
	}
	return "the machine boots something else: is this the rule of an earlier or of another endpoint?"
}

// nextServer compares siaddr. Some servers put their own address there when they have nothing to say, which does no harm
// beside an empty boot file.
func (j *judge) nextServer(o Offer, want boot.Decision) {
	switch {
	case o.NextServer == want.NextServer:
	case !want.NextServer.IsValid() && o.BootFile() == "" && (o.NextServer == o.ServerID || o.NextServer == o.From):
	case !o.NextServer.IsValid() && o.Option66 != "":
		j.add(o.server(), FieldNextServer, text(o.NextServer), text(want.NextServer),
			fmt.Sprintf("siaddr is empty, and option 66 (%+.80q) alone is not read by UEFI firmware", o.Option66))
	case !want.NextServer.IsValid():
		j.add(o.server(), FieldNextServer, text(o.NextServer), text(want.NextServer), "nothing is to be booted by this client: "+string(want.Reason))
	default:
		j.add(o.server(), FieldNextServer, text(o.NextServer), text(want.NextServer), "not the endpoint that is advertised")
	}
}

// vendorClass compares option 60 as far as firmware goes by it.
func (j *judge) vendorClass(o Offer, want boot.Decision) {
	got, wanted := o.VendorClass, want.VendorClass.String()
	isHTTP, isPXE := strings.HasPrefix(got, boot.VendorHTTPClient.String()), strings.HasPrefix(got, boot.VendorPXEClient.String())
	switch {
	case want.VendorClass == boot.VendorHTTPClient && !isHTTP:
		j.add(o.server(), FieldVendorClass, got, wanted, "HTTP boot takes no other answer")
	case o.Proxy(): // it must say what it is
	case want.VendorClass == boot.VendorOther && isPXE:
		j.add(o.server(), FieldVendorClass, got, wanted, "UEFI firmware then asks port 4011, and stalls")
	case want.VendorClass == boot.VendorOther && isHTTP && j.kind.Stage != StageHTTP:
		j.add(o.server(), FieldVendorClass, got, wanted, "PXE firmware takes this for an answer to HTTP boot, and drops it")
	}
}

// servers judges who answered: only the expected servers, or only one, and a proxy beside it. Of two that nobody expects,
// neither is known to be the foreign one.
func (j *judge) servers(offers []Offer, expected []netip.Addr) {
	seen := AppendServers(nil, offers)
	if len(expected) == 0 {
		proxies := AppendServers(nil, slices.DeleteFunc(slices.Clone(offers), func(o Offer) bool { return !o.Proxy() }))
		others := AppendServers(nil, slices.DeleteFunc(slices.Clone(offers), Offer.Proxy))
		if len(others) > 1 {
			j.add(netip.Addr{}, FieldServer, list(seen), "one server", "there is a second DHCP server: machines take whichever answers first")
		}
		if len(proxies) > 1 {
			j.add(netip.Addr{}, FieldServer, list(proxies), "one proxy", "there is a second proxy: machines take whichever answers first")
		}
		return
	}
	for _, s := range seen {
		if !slices.Contains(expected, s) {
			j.findings = append(j.findings, foreign(j.mac, j.kind, s, expected))
		}
	}
}

// foreign is the finding of a server that is not expected.
func foreign(mac reservation.MAC, k Kind, server netip.Addr, expected []netip.Addr) Finding {
	return Finding{
		MAC: mac, Kind: k.Name, Server: server, Field: FieldServer, Got: server.String(), Want: list(expected),
		Why: "a DHCP server that is not expected: machines take whichever answers first",
	}
}

// AppendServers adds to seen who answered, each once, in the order of the answers.
func AppendServers(seen []netip.Addr, offers []Offer) []netip.Addr {
	for _, o := range offers {
		if s := o.server(); !slices.Contains(seen, s) {
			seen = append(seen, s)
		}
	}
	return seen
}

// server is who answered: option 54, else the source address.
func (o Offer) server() netip.Addr {
	if o.ServerID.IsValid() {
		return o.ServerID
	}
	return o.From
}

func list(addrs []netip.Addr) string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return strings.Join(texts, " and ")
}

// text is an address, "none" for the zero Addr.
func text(a netip.Addr) string {
	if !a.IsValid() {
		return "none"
	}
	return a.String()
}

func mask(bits int) string {
	switch {
	case bits == 0:
		return "none"
	case bits < 0:
		return "not a netmask"
	}
	return fmt.Sprintf("/%d", bits)
}
