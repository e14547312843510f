package offers

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Bounds of a verification.
const (
	maxMachines = 8
	maxNamed    = 5
)

// Verifier returns a function that asks as the first and the last machine of each network that can be reached, eight
// machines at most, as every kind of client, in one round; see AskAll for the time. Its error names the worst answers in
// one line. A machine that nobody answers is wrong, one that a single server of several answers is not. With
// Options.Servers, only what these say counts, and others are told to Options.Notice. Nothing is asked for no
// reservations.
func Verifier(o Options) func(ctx context.Context, want render.Wanted) error {
	return func(ctx context.Context, want render.Wanted) error {
		endpoint, err := want.Word.Endpoint()
		if err != nil {
			return err
		}
		if want.Reservations() == 0 {
			return nil
		}
		machines, err := reachable(o, want)
		if err != nil {
			return err
		}
		questions := questions(machines, Kinds(endpoint))
		answers, err := AskAll(ctx, o, questions)
		if err != nil {
			return err
		}
		var findings []Finding
		for i, q := range questions {
			findings = append(findings, o.judge(q, machines, endpoint, answers[i])...)
		}
		return verdict(findings, len(questions))
	}
}

// judge returns what is wrong with the answers of the service, and tells of the others.
func (o Options) judge(q Question, machines []*reservation.Reservation, e boot.Endpoint, answers []Offer) []Finding {
	if len(o.Servers) > 0 {
		for _, s := range AppendServers(nil, answers) {
			if !slices.Contains(o.Servers, s) && o.Notice != nil {
				o.Notice(foreign(q.MAC, q.Kind, s, o.Servers))
			}
		}
		answers = slices.DeleteFunc(slices.Clone(answers), func(a Offer) bool { return !slices.Contains(o.Servers, a.server()) })
	}
	i := slices.IndexFunc(machines, func(r *reservation.Reservation) bool { return r.MAC == q.MAC })
	return Judge(q.Kind, q.MAC, machines[i], Intent{Endpoint: e, Servers: o.Servers, OldIPXEGetsScript: o.OldIPXEGetsScript}, answers)
}

// questions puts those of one machine as far apart as possible: servers drop what comes from a client that they are busy
// with.
func questions(machines []*reservation.Reservation, kinds []Kind) []Question {
	var all []Question
	for _, k := range kinds {
		for _, r := range machines {
			all = append(all, Question{MAC: r.MAC, Kind: k})
		}
	}
	return all
}

// reachable returns the first and the last machine of each network that o can ask on, with the netmask of the network.
func reachable(o Options, want render.Wanted) ([]*reservation.Reservation, error) {
	here, where := []netip.Addr{o.Relay}, "relay address "+o.Relay.String()
	if o.Interface != "" {
		link, err := net.InterfaceByName(o.Interface)
		if err != nil {
			return nil, fmt.Errorf("ask for offers: interface %+.20q: %w: give the name of one that `ip link` shows", o.Interface, err)
		}
		prefixes, err := prefixesOf(link)
		if err != nil {
			return nil, err
		}
		here, where = nil, "interface "+o.Interface
		for _, p := range prefixes {
			here = append(here, p.Addr())
		}
	}
	machines := sample(want.Networks, here)
	if len(machines) == 0 {
		return nil, fmt.Errorf("ask for offers: no network with a reservation can be asked on %s: it has no address in %s: name another interface or a relay address",
			where, networks(want.Networks))
	}
	return machines, nil
}

// sample chooses the machines. Without any address here, a network cannot be told from another, and all count.
func sample(all []render.Network, here []netip.Addr) []*reservation.Reservation {
	var machines []*reservation.Reservation
	for _, n := range all {
		if len(n.Reservations) == 0 || len(here) > 0 && !slices.ContainsFunc(here, n.Prefix.Contains) {
			continue
		}
		ends := n.Reservations[:1]
		if last := len(n.Reservations) - 1; last > 0 {
			ends = []*reservation.Reservation{ends[0], n.Reservations[last]}
		}
		for _, r := range ends {
			if len(machines) == maxMachines {
				return machines
			}
			served := *r
			served.Address = reservation.PrefixOf(netip.PrefixFrom(r.Address.Addr(), n.Prefix.Bits()))
			machines = append(machines, &served)
		}
	}
	return machines
}

func networks(all []render.Network) string {
	var names []string
	for _, n := range all {
		if len(n.Reservations) > 0 && len(names) < maxNamed {
			names = append(names, n.Prefix.String())
		}
	}
	return strings.Join(names, ", ")
}

// verdict makes one error of the findings, the worst first. Of those that differ in nothing but who asked, the first is
// named.
func verdict(findings []Finding, asked int) error {
	if len(findings) == 0 {
		return nil
	}
	slices.SortStableFunc(findings, worst)
	seen := map[Finding]bool{}
	var named []string
	for _, f := range findings {
		fault := f
		fault.MAC, fault.Kind = reservation.MAC{}, ""
		if !seen[fault] && len(named) < maxNamed {
			seen[fault] = true
			named = append(named, f.String())
		}
	}
	return fmt.Errorf("%d findings in the answers to %d questions: %s", len(findings), asked, strings.Join(named, "; "))
}
