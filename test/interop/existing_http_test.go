package interop

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/dhcpservice/kea"
	"github.com/tugboot/tugboot/test/lab"
)

// The port of a Kea's control channel, and its password.
const (
	keaPort     = 8000
	keaPassword = "hopscotch"
)

// A Kea is told what to say over HTTP: an old one through its Control Agent, a new one by itself; with a password, and by TLS
// with and without a certificate of ours. What is not right is named, and changes nothing.
func TestKeaOverHTTP(t *testing.T) {
	t.Parallel()
	all := daemons(t, lab.Kea)
	for name, c := range map[string]struct {
		daemon        lab.Daemon
		secure, ownID bool
	}{
		"agent":                             {all[0], false, false},
		"agent by TLS":                      {all[0], true, false},
		"server":                            {newest(all), false, false},
		"server by TLS and our certificate": {newest(all), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newExisting(t, c.daemon)
			h := lab.KeaHTTP{Address: existingServer.String(), Port: keaPort, User: "tugboot", Password: keaPassword, ClientCertificate: c.ownID}
			scheme := "http"
			if c.secure {
				var err error
				scheme = "https"
				// Through the forwarder the server is known by this host's loopback address.
				h.Certificate, err = lab.NewCertificate(e.foreign.Dir, net.IPv4(127, 0, 0, 1))
				e.must(err)
			}
			e.serveHTTP(h)
			good := kea.Options{URL: scheme + "://" + e.forward(existingServer, keaPort) + "/", Username: h.User, Password: h.Password, Subnets: []netip.Prefix{existingNet}}
			if c.secure {
				good.CA = h.Certificate.CA
			}
			if c.ownID {
				good.Cert, good.Key = h.Certificate.Client, h.Certificate.ClientKey
			}
			for says, o := range e.wrong(good, c.secure, c.ownID) {
				e.driver = e.reach(o)
				e.failsWith(wanted(3, bootstrapAddr, 1), dhcpservice.StageRead, says)
			}
			e.driver = e.reach(good)
			e.apply(wanted(3, bootstrapAddr, 1))
			e.apply(wanted(many, managementAddr, 2))
		})
	}
}

// newest is the last version of a daemon that takes commands over HTTP by itself.
func newest(all []lab.Daemon) lab.Daemon {
	best := all[0]
	for _, d := range all {
		if d.Version > best.Version {
			best = d
		}
	}
	return best
}

// serveHTTP starts the Kea, and its Control Agent where it needs one.
func (e *existing) serveHTTP(h lab.KeaHTTP) {
	e.t.Helper()
	if e.foreign.Daemon.Version >= "2.7.2" {
		text, err := e.foreign.KeaOperatorHTTP(h, keaOwn)
		e.must(err)
		e.configure(text)
		return
	}
	e.configure(e.foreign.KeaOperator(keaOwn))
	_, err := e.foreign.StartControlAgent(e.ctx, h)
	e.must(err)
}

// wrong are options with one thing wrong, by what is said of them.
func (e *existing) wrong(good kea.Options, secure, ownID bool) map[string]kea.Options {
	e.t.Helper()
	password := good
	password.Password = "guessed"
	all := map[string]kea.Options{"the username or password is not the one": password}
	if secure {
		other, err := lab.NewCertificate(e.t.TempDir(), net.IPv4(127, 0, 0, 1))
		e.must(err)
		stranger, plain := good, good
		stranger.CA = other.CA
		plain.URL = strings.Replace(good.URL, "https://", "http://", 1)
		all["certificate signed by unknown authority"], all["write https"] = stranger, plain
	}
	if ownID {
		nobody := good
		nobody.Cert, nobody.Key = nil, nil
		all["certificate required"] = nobody
	}
	return all
}

func (e *existing) reach(o kea.Options) dhcpservice.Driver {
	e.t.Helper()
	d, err := kea.New(o)
	e.must(err)
	return d
}

// forward makes a port of the service's host reachable for this process, which is in no namespace, and returns where.
func (e *existing) forward(to netip.Addr, port uint16) string {
	e.t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	e.must(err)
	e.t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			e.t.Error(err)
		}
	})
	go func() {
		for {
			here, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				go e.pass(here, netip.AddrPortFrom(to, port))
			}
		}
	}()
	return listener.Addr().String()
}

// pass connects one connection with another one in the namespace of the prober.
func (e *existing) pass(here net.Conn, to netip.AddrPort) {
	defer here.Close()
	var there net.Conn
	err := e.prober.Do(func() (err error) {
		there, err = net.Dial("tcp4", to.String())
		return err
	})
	if err != nil {
		return // the other end sees it closed
	}
	defer there.Close()
	done := make(chan error, 2)
	for _, pipe := range [][2]net.Conn{{here, there}, {there, here}} {
		go func() {
			_, err := io.Copy(pipe[0], pipe[1])
			done <- errors.Join(err, fmt.Errorf("over"))
		}()
	}
	<-done
}
