package cli

import (
	"net/netip"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/takeover"
)

// firstSelf is what DHCP answers with until something else is said: this stack. Where a takeover decides, only the
// bootstrap stack may begin like that.
func firstSelf(o *options.Serve, own boot.Endpoint) *dhcp4.Self {
	self := &dhcp4.Self{Servers: dhcp4.Servers{ID: own.Addr}, Endpoint: own}
	if o.Takeover.Enabled() && o.ClusterRole() != takeover.RoleBootstrap {
		self.Quiet = takeover.ReasonTakeoverPending
	}
	return self
}

// ownEndpoint is what this stack serves, in the words of the takeover.
func (s *stack) ownEndpoint() takeover.Endpoint {
	e := takeover.Endpoint{Addr: s.endpoint.Addr, TFTPPort: s.endpoint.TFTPPort, HTTPPort: s.endpoint.HTTPPort, BootFiles: s.endpoint.Binaries.String()}
	if e.HTTPPort != 0 {
		e.ScriptPath = s.endpoint.ScriptPath
	}
	return e
}

// setStance puts a stance in force: one value for the packet that comes next, and for none before. A stance that cannot
// be put on the wire leaves in force what was. What this host serves by TFTP and HTTP stays what it is, so that a machine
// half-way through a boot completes it.
func (s *stack) setStance(stance takeover.Stance) {
	self, err := s.selfFor(stance)
	if err != nil {
		s.log.Error(err, "what is advertised stays as it was: correct the baton, or delete it")
		return
	}
	s.self.Store(self)
}

// selfFor turns a stance into what DHCP answers with. The server identifier is this host's own whatever is advertised.
func (s *stack) selfFor(stance takeover.Stance) (*dhcp4.Self, error) {
	self := &dhcp4.Self{Servers: dhcp4.Servers{ID: s.endpoint.Addr}}
	if stance.Also.Is4() && stance.Also != self.ID {
		self.Also = []netip.Addr{stance.Also}
	}
	if stance.Silent || !stance.Advertise.Addr.IsValid() {
		self.Endpoint, self.Quiet = s.endpoint, quietFor(stance.Reason)
		return self, nil
	}
	e, err := s.advertised(stance.Advertise)
	if err != nil {
		return nil, err
	}
	if stance.Withheld { // not even its name: it does not serve
		e.Addr, e.TFTPPort, e.HTTPPort = netip.Addr{}, 0, 0
	}
	self.Endpoint = e
	return self, nil
}

// quietFor makes the word of a silence, which is never empty: that would be no silence.
func quietFor(reason string) boot.Reason {
	letter := func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
	if reason == "" || len(reason) > 64 || strings.ContainsFunc(reason, func(r rune) bool { return !letter(r) }) {
		return takeover.ReasonTakeoverPending
	}
	return boot.Reason(reason)
}

// advertised is the endpoint that machines are sent to. At this host's own address it is what this process serves, if it
// serves files at all; anywhere else it is what was seen there.
func (s *stack) advertised(e takeover.Endpoint) (boot.Endpoint, error) {
	if e.Addr == s.endpoint.Addr && (s.endpoint.TFTPPort != 0 || s.endpoint.HTTPPort != 0) {
		return s.endpoint, nil
	}
	told, err := render.Endpoint(e)
	told.UserClass = s.endpoint.UserClass
	return told, err
}
