package kea

import (
	"net/netip"

	"github.com/tugboot/tugboot/internal/render"
)

// Config is what a Kea is to say for one cluster, in Kea's own words.
type Config struct {
	// Classes are in the order in which Kea must evaluate them, without others between them: the marker, which has the
	// mark, then those of lease times, then the rules in the order of boot.Table.
	Classes []Class
	// Networks are those of the Wanted, in its order.
	Networks []Network
}

// Network is one subnet with the reservations that are to stand in it.
type Network struct {
	Prefix       netip.Prefix
	Reservations []Reservation
}

// Class is an element of client-classes. The zero value of a field other than Name is left out.
type Class struct {
	Name          string   `json:"name"`
	Test          string   `json:"test,omitempty"`
	UserContext   *Context `json:"user-context,omitempty"`
	ValidLifetime uint32   `json:"valid-lifetime,omitempty"` // seconds; 4294967295 never ends
	NextServer    string   `json:"next-server,omitempty"`
	ServerName    string   `json:"server-hostname,omitempty"`
	BootFile      string   `json:"boot-file-name,omitempty"`
	Options       []Option `json:"option-data,omitempty"`
}

// Context is the user-context of the marker, which Kea keeps and does not look at.
type Context struct {
	Mark render.Word `json:"tugboot-mark"`
}

// Option is an element of option-data, written as config-get tells it.
type Option struct {
	Name string `json:"name,omitempty"`
	Code uint8  `json:"code"`
	// Space is always dhcp4.
	Space string `json:"space"`
	// CSV is true for a Data of text, false for one of hexadecimal digits.
	CSV        bool   `json:"csv-format"`
	Data       string `json:"data"`
	AlwaysSend bool   `json:"always-send,omitempty"`
}

// Reservation is an element of a subnet's reservations. It holds addressing only.
type Reservation struct {
	MAC      string   `json:"hw-address"`
	Address  string   `json:"ip-address"`
	Hostname string   `json:"hostname,omitempty"`
	Classes  []string `json:"client-classes"`
	Options  []Option `json:"option-data,omitempty"`
}

// Marker is the name of the class in which every reservation of the cluster is, and which has its mark.
func Marker(cluster string) string { return "tugboot-" + cluster }
