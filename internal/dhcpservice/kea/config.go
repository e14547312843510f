package kea

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
)

// object is one JSON object, whose members stay as they were told.
type object map[string]json.RawMessage

// config is the configuration of a server, as config-get tells it. What is not ours stays the same bytes.
type config struct {
	told    json.RawMessage // the answer
	dhcp4   object
	classes []class
	global  []host // reservations that are for all subnets
	subnets []*subnet
	shared  []object // shared-networks
}

// class is an element of client-classes.
type class struct {
	name string
	raw  json.RawMessage
}

// subnet is an element of subnet4, of Dhcp4 itself or of a shared network.
type subnet struct {
	prefix netip.Prefix
	id     uint32
	// in is the index of the shared network, -1 for none.
	in      int
	members object
	hosts   []host
}

// host is an element of reservations.
type host struct {
	MAC      string   `json:"hw-address"`
	Address  string   `json:"ip-address"`
	Hostname string   `json:"hostname"`
	Classes  []string `json:"client-classes"`
	raw      json.RawMessage
}

// parse reads the arguments of an answer to config-get.
func parse(arguments json.RawMessage) (*config, error) {
	var whole struct {
		Dhcp4 object `json:"Dhcp4"`
	}
	if err := json.Unmarshal(arguments, &whole); err != nil {
		return nil, fmt.Errorf("config-get: %w: this is not Kea's control channel", err)
	}
	if whole.Dhcp4 == nil {
		return nil, errors.New("config-get: no Dhcp4 in the answer: this is the control channel of another of Kea's servers: give that of kea-dhcp4")
	}
	c := &config{told: arguments, dhcp4: whole.Dhcp4}
	var raws []json.RawMessage
	if err := member(c.dhcp4, "client-classes", &raws); err != nil {
		return nil, err
	}
	for _, raw := range raws {
		var named struct {
			Name string `json:"name"`
		}
		if err := json.Unmarshal(raw, &named); err != nil {
			return nil, fmt.Errorf("config-get: client-classes: %w", err)
		}
		c.classes = append(c.classes, class{named.Name, raw})
	}
	var err error
	if c.global, err = hosts(c.dhcp4); err != nil {
		return nil, err
	}
	if err := c.addSubnets(c.dhcp4, -1); err != nil {
		return nil, err
	}
	if err := member(c.dhcp4, "shared-networks", &c.shared); err != nil {
		return nil, err
	}
	for i, network := range c.shared {
		if err := c.addSubnets(network, i); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// addSubnets adds those of Dhcp4 or of a shared network.
func (c *config) addSubnets(from object, in int) error {
	var all []object
	if err := member(from, "subnet4", &all); err != nil {
		return err
	}
	for _, members := range all {
		s := &subnet{in: in, members: members}
		if err := errors.Join(member(members, "subnet", &s.prefix), member(members, "id", &s.id)); err != nil {
			return err
		}
		s.prefix = s.prefix.Masked()
		var err error
		if s.hosts, err = hosts(members); err != nil {
			return err
		}
		c.subnets = append(c.subnets, s)
	}
	return nil
}

func hosts(from object) ([]host, error) {
	var raws []json.RawMessage
	if err := member(from, "reservations", &raws); err != nil {
		return nil, err
	}
	all := make([]host, 0, len(raws))
	for _, raw := range raws {
		h := host{raw: raw}
		if err := json.Unmarshal(raw, &h); err != nil {
			return nil, fmt.Errorf("config-get: reservations: %w", err)
		}
		all = append(all, h)
	}
	return all, nil
}

// member reads one member of an object; one that is not there leaves into as it is.
func member(from object, name string, into any) error {
	raw, ok := from[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("config-get: %s: %w", name, err)
	}
	return nil
}

// subnet returns the subnet with a prefix.
func (c *config) subnet(p netip.Prefix) (*subnet, bool) {
	for _, s := range c.subnets {
		if s.prefix == p {
			return s, true
		}
	}
	return nil, false
}

// text writes the configuration as config-set takes it: without the digest that config-get adds.
func (c *config) text() (json.RawMessage, error) {
	classes := make([]json.RawMessage, 0, len(c.classes))
	for _, class := range c.classes {
		classes = append(classes, class.raw)
	}
	of := map[int][]object{}
	for _, s := range c.subnets {
		if err := s.put(); err != nil {
			return nil, err
		}
		of[s.in] = append(of[s.in], s.members)
	}
	for i, network := range c.shared {
		if err := set(network, "subnet4", of[i]); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(set(c.dhcp4, "client-classes", classes), set(c.dhcp4, "subnet4", of[-1]), set(c.dhcp4, "shared-networks", c.shared)); err != nil {
		return nil, err
	}
	return encode(map[string]object{"Dhcp4": c.dhcp4})
}

// put writes the reservations into the subnet's members.
func (s *subnet) put() error {
	raws := make([]json.RawMessage, 0, len(s.hosts))
	for _, h := range s.hosts {
		raws = append(raws, h.raw)
	}
	return set(s.members, "reservations", raws)
}

// set writes a list into an object. One that is empty and was not there is left out.
func set[T any](in object, name string, all []T) error {
	if _, there := in[name]; !there && len(all) == 0 {
		return nil
	}
	if all == nil {
		all = []T{}
	}
	text, err := encode(all)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	in[name] = text
	return nil
}
