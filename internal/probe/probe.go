package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// DefaultTimeout is how long an answer is waited for where nobody says.
const DefaultTimeout = 3 * time.Second

// stages is how many probes follow one after the other at most, which bounds a round: first the script where it was
// found last, then everywhere.
const stages = 2

// The kinds of probes, as Options.Observe is told.
const (
	KindBootFile    = "bootFile"
	KindHealthcheck = "healthcheck"
	KindScript      = "script"
	KindTinkServer  = "tinkServer"
)

// Options are what all rounds of a Prober have in common.
type Options struct {
	// Timeout is how long the answer to one question is waited for; 0 means DefaultTimeout. A round takes twice as long
	// at most.
	Timeout time.Duration
	// Observe is told of each kind of probe once a round: how long the answer took that counts, and what is wrong. Rounds
	// that run at the same time call it at the same time; nil for none. A round that is cancelled is not told of.
	Observe func(kind string, took time.Duration, err error)
}

// Target is a stack to ask.
type Target struct {
	// Addr is an IPv4 address.
	Addr netip.Addr
	// BootFiles are the first-stage binaries that the stack must hand out. With none, any that is known will do.
	BootFiles []string
	// Machine is one that may boot from the network now: its script proves which stack answers. Zero for none.
	Machine reservation.MAC
	// TinkPort is the TCP port of the Tink server; 0 means 42113. TFTPPort is that of TFTP; 0 means 69.
	TinkPort, TFTPPort uint16
	// Served are the BootFiles of the endpoint that was found at Addr before: of the binaries that are known, only these
	// are asked for, because a stack logs each request for a file that it has not. Empty asks for all.
	Served string
	// Hint is what was found last, or at the other stack. Its script is looked for first; nothing else in it counts.
	Hint takeover.Endpoint
}

// Prober asks stacks. It keeps nothing between two rounds and is safe for concurrent use.
type Prober struct {
	timeout time.Duration
	observe func(kind string, took time.Duration, err error)
	// dial and listen are the network; tests put another in their place.
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	listen func(ctx context.Context) (packetConn, error)
}

// New returns a Prober.
func New(o Options) *Prober {
	p := &Prober{timeout: o.Timeout, observe: o.Observe, listen: listenUDP}
	if p.timeout <= 0 {
		p.timeout = DefaultTimeout
	}
	if p.observe == nil {
		p.observe = func(string, time.Duration, error) {}
	}
	p.dial = (&net.Dialer{Timeout: p.timeout, KeepAlive: -1}).DialContext
	return p
}

// Stack asks everything at once and returns what was seen, at the latest after twice the timeout; now is the clock for
// Stack.At. When ctx ends first, nothing is known: the Stack has no time, no problem and no endpoint.
func (p *Prober) Stack(ctx context.Context, t Target, now func() time.Time) takeover.Stack {
	t = t.withDefaults()
	if why := unaskable(t.Addr); why != nil {
		wrong := why.Error()
		return takeover.Stack{At: now(), Addr: t.Addr, BootFile: wrong, Healthcheck: wrong, Script: wrong, TinkServer: wrong}
	}
	round, cancel := context.WithTimeout(ctx, stages*p.timeout)
	defer cancel()
	var files fileFinding
	var web webFinding
	var tink error
	var tinkTook time.Duration
	var all sync.WaitGroup
	all.Go(func() { files = p.bootFiles(round, t) })
	all.Go(func() { web = p.discover(round, t) })
	all.Go(func() {
		began := time.Now()
		tink = p.tinkServer(round, netip.AddrPortFrom(t.Addr, t.TinkPort))
		tinkTook = time.Since(began)
	})
	all.Wait()
	if ctx.Err() != nil {
		return takeover.Stack{Addr: t.Addr}
	}
	p.observe(KindBootFile, files.took, files.err)
	p.observe(KindHealthcheck, web.healthTook, web.healthErr)
	p.observe(KindScript, web.scriptTook, web.scriptErr)
	p.observe(KindTinkServer, tinkTook, tink)
	return takeover.Stack{
		At: now(), Addr: t.Addr,
		BootFile: text(files.err), Healthcheck: text(web.healthErr), Script: text(web.scriptErr), TinkServer: text(tink),
		Proof: web.proof, ProofMAC: web.proofMAC,
		Endpoint: endpoint(t, files, web),
	}
}

func (t Target) withDefaults() Target {
	t.Addr = t.Addr.Unmap()
	if t.TinkPort == 0 {
		t.TinkPort = ipxe.DefaultTinkPort
	}
	if t.TFTPPort == 0 {
		t.TFTPPort = boot.DefaultTFTPPort
	}
	return t
}

// unaskable says why nobody can be asked at a. Of the unspecified address one's own host would answer.
func unaskable(a netip.Addr) error {
	if a.Is4() && !a.IsUnspecified() && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return nil
	}
	return fmt.Errorf("address %q is no IPv4 address of one host: name that of the stack", a)
}

// endpoint puts together what answered; the zero Endpoint when nothing did.
func endpoint(t Target, files fileFinding, web webFinding) takeover.Endpoint {
	e := takeover.Endpoint{HTTPPort: web.port, ScriptPath: web.path, BootFiles: files.pairs}
	if files.any {
		e.TFTPPort = t.TFTPPort
	}
	if !e.IsZero() {
		e.Addr = t.Addr
	}
	return e
}

// tinkServer connects to the Tink server, and says what is wrong.
func (p *Prober) tinkServer(ctx context.Context, at netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	conn, err := p.dial(ctx, "tcp4", at.String())
	if err == nil {
		err = conn.Close()
	}
	if err != nil {
		return fmt.Errorf("connect to the Tink server at %s: %s: is it started, and is the port open to this host?", at, p.why(err))
	}
	return nil
}
