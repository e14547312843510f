package lab

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
)

// Station is a host of the lab that serves: the lab's server, or another one with an address of its own on the LAN.
// Each may have a Kubernetes API and a Tugboot.
type Station struct {
	*Namespace
	// Addr is its address on the LAN, Interface the name of its interface there.
	Addr      netip.Addr
	Interface string
	// Dir is the folder of its keys and kubeconfig.
	Dir string

	prefix string // begins the names of its processes, which must be unique in the lab
	path   func() string
	start  func(Spec) (*Process, error)
}

// ServerStation is the lab's server.
func (l *Lab) ServerStation() *Station {
	return &Station{Namespace: l.Server, Addr: ServerAddr, Interface: ServerInterface, Dir: l.Dir, path: l.Server.Path, start: l.Server.Start}
}

// AddStation adds a host with the address addr, in the LAN's /24, and the MAC mac.
func (l *Lab) AddStation(ctx context.Context, name, mac string, addr netip.Addr) (*Station, error) {
	h, err := l.AddHost(ctx, name)
	if err != nil {
		return nil, err
	}
	s := &Station{Namespace: h.Namespace, Addr: addr, Interface: ServerInterface, Dir: filepath.Join(l.Dir, name),
		prefix: name + "-", path: h.Path, start: h.Start}
	if err := h.PlugIn(ctx, s.Interface, mac); err != nil {
		return nil, err
	}
	return s, h.ip(ctx, []string{"address", "add", addr.String() + "/24", "dev", s.Interface})
}

// StationAt makes a station of a host that has the address addr on one of its interfaces, whatever network that is in.
func (l *Lab) StationAt(h *Host, name string, addr netip.Addr) (*Station, error) {
	s := &Station{Namespace: h.Namespace, Addr: addr, Interface: name, Dir: filepath.Join(l.Dir, h.Name),
		prefix: h.Name + "-", path: h.Path, start: h.Start}
	return s, os.MkdirAll(s.Dir, 0o755)
}

// Start starts a process there. Its name is the station's and the one given.
func (s *Station) Start(spec Spec) (*Process, error) {
	spec.Name = s.prefix + spec.Name
	return s.start(spec)
}

// Path is the file that stands for the station's namespace, for nsenter --net.
func (s *Station) Path() string { return s.path() }
