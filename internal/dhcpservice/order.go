package dhcpservice

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Order is what a service is to say and how it is to be asked afterwards: everything that a writer beside the service
// needs, so that it works on when the API is away.
type Order struct {
	// Type is the DHCPService's: Kea, Dnsmasq, ISC or Microsoft.
	Type string
	// Plan forbids writing: the service is only read, and what would change is reported.
	Plan bool
	// Want is what the service is to say.
	Want render.Wanted
	// Ask says how the answers are verified.
	Ask Ask
}

// Ask says how a service is asked as machines would ask.
type Ask struct {
	// Mode is Broadcast, Relay or Off.
	Mode string
	// Interface is asked on, with mode Broadcast; empty means the one with an address in one of the subnets.
	Interface string
	// Server is the service's address and Relay the address that is given as the relay agent's, with mode Relay.
	Server, Relay netip.Addr
}

// The bounds of a packed order: what a ConfigMap takes with room for its metadata, and what is unpacked at most.
const (
	MaxPacked   = 900 << 10
	maxUnpacked = 64 << 20
)

// ErrTooLarge is in the chain of the error when an order does not fit into a ConfigMap.
var ErrTooLarge = errors.New("too large for a ConfigMap")

// Pack writes the order as compressed JSON: the same order, the same bytes. Some 20,000 reservations fit.
func (o Order) Pack() ([]byte, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("order for the cluster %s: %w", o.Want.Word.Mark.Cluster, err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(text); err != nil {
		return nil, fmt.Errorf("compress an order: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress an order: %w", err)
	}
	if packed.Len() > MaxPacked {
		return nil, fmt.Errorf("%d reservations: %d bytes compressed are %w, which takes %d: divide spec.subnets between several DHCPServices",
			o.Want.Reservations(), packed.Len(), ErrTooLarge, MaxPacked)
	}
	return packed.Bytes(), nil
}

// Unpack reads what Pack wrote, and refuses what it cannot have written.
func Unpack(packed []byte) (Order, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return Order{}, fmt.Errorf("order: not compressed JSON: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	switch {
	case err != nil:
		return Order{}, fmt.Errorf("order: not compressed JSON: %w", err)
	case len(text) > maxUnpacked:
		return Order{}, fmt.Errorf("order: more than %d bytes", maxUnpacked)
	}
	var o Order
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&o); err != nil {
		return Order{}, fmt.Errorf("order: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Order{}, errors.New("order: there is more behind it")
	}
	return o, o.valid()
}

// valid refuses an order by which a service could be told what no Hardware can say.
func (o Order) valid() error {
	if o.Want.Word.Mark.Cluster == "" {
		return errors.New("order: it names no cluster")
	}
	if types := []string{"Kea", "Dnsmasq", "ISC", "Microsoft"}; !slices.Contains(types, o.Type) {
		return fmt.Errorf("order: it is for a service of type %+.40q: none of %q", o.Type, types)
	}
	if modes := []string{"Broadcast", "Relay", "Off"}; !slices.Contains(modes, o.Ask.Mode) {
		return fmt.Errorf("order: answers are to be asked for by %+.40q: none of %q", o.Ask.Mode, modes)
	}
	macs := map[reservation.MAC]bool{}
	addresses := map[netip.Addr]bool{}
	for _, network := range o.Want.Networks {
		if !network.Prefix.IsValid() || !network.Prefix.Addr().Is4() || network.Prefix != network.Prefix.Masked() {
			return fmt.Errorf("order: %s is no IPv4 subnet", network.Prefix)
		}
		for _, r := range network.Reservations {
			switch {
			case r == nil || r.MAC.IsZero():
				return fmt.Errorf("order: a reservation in %s without a MAC address", network.Prefix)
			case r.Settings == nil:
				return fmt.Errorf("order: the reservation of %s has no settings", r.MAC)
			case !network.Prefix.Contains(r.Address.Addr()):
				return fmt.Errorf("order: %s has the address %s, which is not in %s", r.MAC, r.Address, network.Prefix)
			case macs[r.MAC] || addresses[r.Address.Addr()]:
				return fmt.Errorf("order: %s or its address %s stands in it twice", r.MAC, r.Address.Addr())
			}
			macs[r.MAC], addresses[r.Address.Addr()] = true, true
		}
	}
	return nil
}

// Digest names a packed order, so that a report can say which one it is about.
func Digest(packed []byte) string {
	sum := sha256.Sum256(packed)
	return hex.EncodeToString(sum[:])
}
