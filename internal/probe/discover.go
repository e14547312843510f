package probe

import (
	"bytes"
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// How a script is found. Each release serves it at another port and path (see candidates), so all are asked, where it
// was found last before the others. A script that is had settles it, all the more when it names the address that was
// asked as its Tink server.
//
// Most of the time no machine may boot, and every script is answered 404, by the script's handler as by the mux of a
// stack that has no script there. Two things tell these apart. Stacks answer /healthcheck, which a stranger on one of
// these ports does not. And where the script's handler is at work, its 404 differs from that of a path that cannot
// exist: the handler sends no text, or one of its own, the mux and the handler of boot files beside it send that of Go's
// net/http. The control path lies under /ipxe/ because on releases before 0.25 the script's handler takes every path
// outside of it, and only the boot files' handler takes that. It ends like the script's own and names the same machine,
// and the paths are removed from both answers, so that nothing else can make them differ.
//
// Where they do not differ although the port answers /healthcheck, and every path that is asked there is 404, the path
// of the hint is taken, else the most recent release's at that port. That is a guess: it may be advertised, and when a
// machine may boot, the script that is had then corrects it, or the one that is missed is named as the fault.
//
// With a machine that may boot, 404 means that the stack does not know it or does not let it boot. Not so on port 80:
// releases up to 0.19 look up every script by the address that asks, and ours is nobody's.

// candidate is where a script may be.
type candidate struct {
	port uint16
	path string
}

// The script's paths.
const (
	scriptPath  = boot.DefaultScriptPath
	rootPath    = "/auto.ipxe"
	controlPath = "/ipxe/tugboot-asks-what-cannot-exist/auto.ipxe"
	healthPath  = "/healthcheck"
)

// sourcePort is the port of the releases that look up scripts by source address.
const sourcePort = 80

// candidates lists where a script may be: where the hint says, then the most recent first.
func candidates(hint takeover.Endpoint) []candidate {
	all := []candidate{
		{boot.DefaultHTTPPort, scriptPath}, // EKS Anywhere 0.25 and later
		{7080, scriptPath},                 // the Tinkerbell chart
		{boot.DefaultHTTPPort, rootPath},   // EKS Anywhere 0.22 to 0.24, at tinkerbellIP from 0.20
		{sourcePort, rootPath},             // EKS Anywhere up to 0.19, at the bootstrap IP up to 0.21
	}
	if !usable(hint) {
		return all
	}
	first := candidate{hint.HTTPPort, hint.ScriptPath}
	all = slices.DeleteFunc(all, func(c candidate) bool { return c == first })
	return slices.Insert(all, 0, first)
}

// usable reports whether a hint names a script. It comes from a ConfigMap that anybody may have edited.
func usable(hint takeover.Endpoint) bool {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/-._~:", r)
	}
	path := hint.ScriptPath
	return hint.HTTPPort != 0 && len(path) <= 255 && strings.HasPrefix(path, "/") && !strings.HasSuffix(path, "/") &&
		strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0
}

// webFinding is what was found over HTTP. Port and path are zero where no script's handler was found.
type webFinding struct {
	port                 uint16
	path                 string
	healthErr, scriptErr error
	proof                netip.Addr
	proofMAC             string
	// healthTook and scriptTook are how long the answers took that this is made from.
	healthTook, scriptTook time.Duration
}

// discover looks for the script, first where it was found last.
func (p *Prober) discover(ctx context.Context, t Target) webFinding {
	all := candidates(t.Hint)
	if usable(t.Hint) {
		places := p.survey(ctx, t, all[:1])
		if places[0].settled(t) {
			return finding(t, places)
		}
	}
	return finding(t, p.survey(ctx, t, all))
}

// place is what was seen of one candidate, and of the port it is on.
type place struct {
	candidate
	script answer
	// health is what is wrong with /healthcheck, which was asked for healthTook.
	health     error
	healthTook time.Duration
	// same is true when the control path cannot be told from the script's. clear is true when every candidate on the
	// port was answered 404, so that no other is where the script fails.
	same, clear bool
	// names is the Tink server's address in the script, proofErr why it proves nothing.
	names    netip.Addr
	proofErr error
}

// survey asks all candidates at once, of each port also for its health and for the control path.
func (p *Prober) survey(ctx context.Context, t Target, all []candidate) []place {
	asked := map[string]answer{}
	var mu sync.Mutex
	var each sync.WaitGroup
	ask := func(port uint16, url string) {
		each.Go(func() {
			began := time.Now()
			a := p.get(ctx, netip.AddrPortFrom(t.Addr, port).String(), url)
			a.took = time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			asked[url] = a
		})
	}
	var ports []uint16
	for _, c := range all {
		ask(c.port, t.url(c.port, c.path, t.Machine))
		if slices.Contains(ports, c.port) {
			continue
		}
		ports = append(ports, c.port)
		ask(c.port, t.url(c.port, healthPath, reservation.MAC{}))
		ask(c.port, t.url(c.port, controlPath, t.Machine))
	}
	each.Wait()
	var places []place
	for _, c := range all {
		health := asked[t.url(c.port, healthPath, reservation.MAC{})]
		s := place{candidate: c, script: asked[t.url(c.port, c.path, t.Machine)], healthTook: health.took}
		if !health.ok() {
			s.health = health.unexpected()
		}
		control := asked[t.url(c.port, controlPath, t.Machine)]
		s.same = alike(s.script, t.path(c.path), control, t.path(controlPath))
		if s.script.ok() {
			s.names, s.proofErr = proof(s.script.body)
		}
		places = append(places, s)
	}
	for i := range places {
		places[i].clear = !slices.ContainsFunc(places, func(s place) bool { return s.port == places[i].port && !s.script.missing() })
	}
	return places
}

// url is what a machine is told to fetch; the zero MAC for a path without one.
func (t Target) url(port uint16, path string, m reservation.MAC) string {
	return boot.Endpoint{Addr: t.Addr, HTTPPort: port, ScriptPath: path}.ScriptURL(m)
}

// path is the path of url with the target's machine.
func (t Target) path(path string) string {
	const port = 1
	return strings.TrimPrefix(t.url(port, path, t.Machine), "http://"+netip.AddrPortFrom(t.Addr, port).String())
}

func (a answer) missing() bool { return a.err == nil && a.code == http.StatusNotFound }

func (a answer) ok() bool { return a.err == nil && a.code == http.StatusOK }

// alike reports whether two answers cannot be told apart once the paths are removed from them. An answer that did not
// come cannot be told from any.
func alike(a answer, pathA string, b answer, pathB string) bool {
	if a.err != nil || b.err != nil {
		return true
	}
	without := func(body []byte, path string) []byte { return bytes.ReplaceAll(body, []byte(path), nil) }
	return a.code == b.code && bytes.Equal(without(a.body, pathA), without(b.body, pathB))
}
