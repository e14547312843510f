package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/doctor"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/probe/offers"
	"github.com/tugboot/tugboot/internal/reservation"
)

// maxAsked is how many interfaces are asked on.
const maxAsked = 8

// unknownMachine asks for an address as a machine that nobody reserves one for: a locally administered MAC that is the same
// each time, so that a server with a pool sets no more than one address aside.
func unknownMachine() reservation.MAC { return reservation.MAC{0x02, 0x74, 0x75, 0x67, 0x00, 0x01} }

// lookForServers sends DISCOVERs on every interface that DHCP would be answered on, on all of them at once, and never a
// REQUEST. Where none is answered, it asks where the advertised address is.
func lookForServers(ctx context.Context, f *doctor.Facts, machines []*inventory.Snapshot) []doctor.Asked {
	var all []doctor.Asked
	var on []doctor.Interface
	for _, i := range f.Interfaces {
		if asksOn(f.Flags, i) && len(on) < maxAsked {
			on = append(on, i)
			all = append(all, doctor.Asked{Interface: i.Name})
		}
	}
	var asking sync.WaitGroup
	for n := range all {
		asking.Go(func() {
			known := reservedOn(on[n], machines)
			answers, err := askOn(ctx, on[n].Name, known)
			all[n].Answers = answers
			switch {
			case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
				all[n].Failed = doctor.Trouble{What: "this process may not send a DISCOVER", Remedy: "run as root or grant the capability NET_RAW"}
			case err != nil:
				all[n].Failed = doctor.Trouble{What: oneLine(err), Remedy: fmt.Sprintf("see `tugboot probe -i %s --mac %s`", on[n].Name, unknownMachine())}
			}
		})
	}
	asking.Wait()
	return all
}

// asksOn reports whether to ask on an interface.
func asksOn(flags doctor.Flags, i doctor.Interface) bool {
	switch {
	case !i.Up || !i.Carrier || i.Loopback:
		return false
	case !flags.DHCP:
		return slices.ContainsFunc(i.Prefixes, func(p netip.Prefix) bool { return p.Addr() == flags.Advertise })
	case len(flags.Interfaces) > 0:
		return slices.Contains(flags.Interfaces, i.Name)
	}
	return !i.Inner
}

// reservedOn is a machine that an address of the interface's network is reserved for, the zero MAC for none: a server without
// a pool answers such a machine alone.
func reservedOn(i doctor.Interface, machines []*inventory.Snapshot) reservation.MAC {
	for _, s := range machines {
		for r := range s.All() {
			if slices.ContainsFunc(i.Prefixes, func(p netip.Prefix) bool { return p.Contains(r.Address.Addr()) }) {
				return r.MAC
			}
		}
	}
	return reservation.MAC{}
}

// askOn asks on one interface as UEFI firmware, no more than it must: some servers do nothing else while they look whether an
// address is taken.
func askOn(ctx context.Context, name string, known reservation.MAC) ([]doctor.Answer, error) {
	var questions []offers.Question
	for _, k := range offers.Kinds(boot.Endpoint{}) {
		if k.Stage != offers.StageFirmware || k.Arch != boot.ArchX64 {
			continue
		}
		questions = append(questions, offers.Question{MAC: unknownMachine(), Kind: k})
		if !known.IsZero() {
			questions = append(questions, offers.Question{MAC: known, Kind: k})
		}
	}
	answers, err := offers.AskAll(ctx, offers.Options{Interface: name, Window: doctorDHCPWindow}, questions)
	if err != nil {
		return nil, err
	}
	var all []doctor.Answer
	for i, q := range questions {
		for _, o := range answers[i] {
			all = append(all, doctor.Answer{
				Server: o.ServerID, From: o.From, Machine: q.MAC, Known: q.MAC == known,
				Address: o.Address, NextServer: o.NextServer, BootFile: o.BootFile(),
			})
		}
	}
	return all, nil
}
