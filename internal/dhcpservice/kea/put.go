package kea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// maxSingle is how many reservations are changed one by one; more take longer than the pause of a config-set is long.
const maxSingle = 500

// put makes the running server say p in the place of what is the cluster's in c, its configuration.
func (d *Driver) put(ctx context.Context, c *config, cluster string, p part) error {
	stands := c.part(cluster)
	if same(cluster, stands, p) {
		return nil
	}
	before, err := c.text()
	if err != nil {
		return err
	}
	changes, singly := d.changes(ctx, c, stands, p)
	var failed error
	if singly {
		if failed = d.give(ctx, changes); failed == nil {
			return nil
		}
	}
	if err := c.replace(cluster, p); err != nil {
		return err
	}
	after, err := c.text()
	if err != nil {
		return err
	}
	if failed != nil {
		// A part of the commands was taken, and the whole has not been tested yet.
		if _, _, refused := d.channel.do(ctx, "config-test", after); refused != nil {
			return errors.Join(failed, refused, d.set(context.WithoutCancel(ctx), before, before))
		}
	}
	return d.set(ctx, before, after)
}

// set replaces the configuration. A server that refuses may be deaf: it is given the configuration before, or as the last
// resort that of its file.
func (d *Driver) set(ctx context.Context, before, after json.RawMessage) error {
	_, _, failed := d.channel.do(ctx, "config-set", after)
	if failed == nil {
		d.deaf = false
		d.joined(ctx)
		return nil
	}
	if !isRefusal(failed) {
		return failed
	}
	recovery := context.WithoutCancel(ctx)
	_, _, err := d.channel.do(recovery, "config-set", before)
	if err == nil {
		d.joined(recovery)
		return fmt.Errorf("%w; Kea may serve nobody after that, and the configuration before was set again", failed)
	}
	if _, _, reload := d.channel.do(recovery, "config-reload", nil); reload != nil {
		d.deaf = true
		return fmt.Errorf("%w; the configuration before was not taken either: %w; nor was the file: %w", failed, err, reload)
	}
	return fmt.Errorf("%w; the configuration before was not taken either (%w), and Kea has loaded its file again: what was not written there is lost", failed, err)
}

// Renew has the server set its configuration once more, which opens its sockets again: one that was refused a configuration,
// or whose interface was gone, may serve nobody and not say so.
func (d *Driver) Renew(ctx context.Context) error {
	c, err := d.get(ctx)
	if err != nil {
		return err
	}
	text, err := c.text()
	if err != nil {
		return err
	}
	return d.set(ctx, text, text)
}

// The commands of the host_cmds library.
const (
	commandAdd    = "reservation-add"
	commandUpdate = "reservation-update"
	commandDel    = "reservation-del"
)

// change is one command of the host_cmds library.
type change struct {
	command   string
	arguments map[string]any
}

// changes are the commands that make stands into want. It is false where a config-set is needed: a class changes, or the
// address of a machine, or too much.
func (c *config) changes(stands, want part) ([]change, bool) {
	if !sameClasses(stands.classes, want.classes) {
		return nil, false
	}
	var removed, others []change
	prefixes := append(stands.prefixes(), want.prefixes()...)
	slices.SortFunc(prefixes, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	for _, prefix := range slices.Compact(prefixes) {
		s, there := c.subnet(prefix)
		if !there {
			return nil, false
		}
		gone, rest, ok := s.changes(stands.hosts[prefix], want.hosts[prefix])
		if !ok {
			return nil, false
		}
		removed, others = append(removed, gone...), append(others, rest...)
	}
	// A machine may have the address of one that goes.
	all := slices.Concat(removed, others)
	return all, len(all) > 0 && len(all) <= maxSingle
}

func (s *subnet) changes(stands, want []host) (removed, others []change, ok bool) {
	was := map[string]host{}
	for _, h := range stands {
		if _, twice := was[h.MAC]; twice || h.MAC == "" {
			return nil, nil, false
		}
		was[h.MAC] = h
	}
	for _, h := range want {
		old, there := was[h.MAC]
		delete(was, h.MAC)
		command := commandAdd
		if there {
			var d drift
			d.members("", plain(old.raw), plain(h.raw))
			if d.count == 0 {
				continue
			}
			if old.Address != h.Address {
				return nil, nil, false
			}
			command = commandUpdate
		}
		var members object
		if json.Unmarshal(h.raw, &members) != nil {
			return nil, nil, false
		}
		id, err := encode(s.id)
		if err != nil {
			return nil, nil, false
		}
		members["subnet-id"] = id
		others = append(others, change{command, map[string]any{"reservation": members, "operation-target": "memory"}})
	}
	for _, h := range stands {
		if _, gone := was[h.MAC]; gone {
			removed = append(removed, change{commandDel, map[string]any{
				"subnet-id": s.id, "identifier-type": "hw-address", "identifier": h.MAC, "operation-target": "memory",
			}})
		}
	}
	return removed, others, true
}

// changes are the commands that make stands into want. It is false where a config-set is needed, or where the server
// does not know the commands.
func (d *Driver) changes(ctx context.Context, c *config, stands, want part) ([]change, bool) {
	all, ok := c.changes(stands, want)
	if !ok {
		return nil, false
	}
	known, err := d.channel.commands(ctx)
	return all, err == nil && slices.Contains(known, commandAdd) && slices.Contains(known, commandUpdate) && slices.Contains(known, commandDel)
}

// give gives the commands, up to the first that is refused. What stands there then is not known.
func (d *Driver) give(ctx context.Context, changes []change) error {
	for _, c := range changes {
		if _, _, err := d.channel.do(ctx, c.command, c.arguments); err != nil {
			return err
		}
	}
	return nil
}
