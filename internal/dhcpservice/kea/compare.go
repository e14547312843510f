package kea

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/internal/render/kea"
)

// maxDrift is how many differences are told one by one; the others are counted.
const maxDrift = 16

// drift collects differences.
type drift struct {
	sentences []string
	count     int
}

func (d *drift) add(format string, args ...any) {
	d.count++
	if len(d.sentences) < maxDrift {
		d.sentences = append(d.sentences, fmt.Sprintf(format, args...))
	}
}

// plain is an object in the one form in which two are compared: config-get writes every member that says nothing, and a
// name beside the number of an option.
func plain(raw json.RawMessage) map[string]string {
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&members) != nil {
		return map[string]string{"": string(raw)}
	}
	texts := map[string]string{}
	for name, v := range members {
		if v = pruned(v); v != nil {
			text, err := encode(v)
			if err != nil {
				text = []byte(fmt.Sprint(v))
			}
			texts[name] = string(text)
		}
	}
	return texts
}

// pruned is v without what says nothing, nil when nothing is left.
func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if _, numbered := v["code"]; numbered {
			delete(v, "name")
		}
		for name := range v {
			if v[name] = pruned(v[name]); v[name] == nil {
				delete(v, name)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = pruned(v[i])
		}
	case string:
		if v == "" || v == "0.0.0.0" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

// members tells how one element differs.
func (d *drift) members(what string, is, want map[string]string) {
	names := maps.Clone(is)
	maps.Copy(names, want)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if is[name] != want[name] {
			d.add("%s: %+.40q is %s, wanted %s", what, name, shown(is[name]), shown(want[name]))
		}
	}
}

func shown(text string) string {
	if text == "" {
		return "not there"
	}
	return fmt.Sprintf("%+.160q", text)
}

// compare tells how what stands there differs from what is wanted. The mark is left out.
func compare(cluster string, is, want part) drift {
	var d drift
	d.classes(cluster, is.classes, want.classes)
	prefixes := append(is.prefixes(), want.prefixes()...)
	slices.SortFunc(prefixes, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	for _, prefix := range slices.Compact(prefixes) {
		d.hosts(prefix, is.hosts[prefix], want.hosts[prefix])
	}
	return d
}

func (d *drift) classes(cluster string, is, want []class) {
	stands := map[string]map[string]string{}
	for _, c := range is {
		stands[c.name] = plain(c.raw)
	}
	var order []string
	for _, c := range want {
		wanted, there := plain(c.raw), stands[c.name]
		if there == nil {
			d.add("client class %s: it is not there", c.name)
			continue
		}
		order = append(order, c.name)
		if c.name == kea.Marker(cluster) {
			delete(there, "user-context")
			delete(wanted, "user-context")
		}
		d.members("client class "+c.name, there, wanted)
	}
	i := 0
	for _, c := range is {
		switch {
		case !slices.Contains(order, c.name):
			d.add("client class %+.100q: it stands there and is not wanted", c.name)
			continue
		case i == len(order) || order[i] != c.name:
			d.add("client class %s: it does not stand where it is wanted: the first class that a machine is in counts", c.name)
			return
		}
		i++
	}
}

func (d *drift) hosts(prefix netip.Prefix, is, want []host) {
	stands := map[string]host{}
	for _, h := range is {
		if _, twice := stands[h.MAC]; twice {
			d.add("subnet %s: reservation of %+.40q: it stands there twice", prefix, h.MAC)
		}
		stands[h.MAC] = h
	}
	for _, h := range want {
		there, ok := stands[h.MAC]
		delete(stands, h.MAC)
		if !ok {
			d.add("subnet %s: reservation of %s: it is not there, wanted with the address %s", prefix, h.MAC, h.Address)
			continue
		}
		d.members(fmt.Sprintf("subnet %s: reservation of %s", prefix, h.MAC), plain(there.raw), plain(h.raw))
	}
	for _, mac := range slices.Sorted(maps.Keys(stands)) {
		d.add("subnet %s: reservation of %+.40q with the address %+.40q: it stands there and is not wanted", prefix, mac, stands[mac].Address)
	}
}

// same reports whether two parts say the same, the mark included.
func same(cluster string, a, b part) bool {
	return sameClasses(a.classes, b.classes) && compare(cluster, a, b).count == 0
}

// sameClasses reports whether the classes are the same, in the same order, the mark included.
func sameClasses(a, b []class) bool {
	return slices.EqualFunc(a, b, func(x, y class) bool { return maps.Equal(plain(x.raw), plain(y.raw)) })
}
