package kea

import "github.com/tugboot/tugboot/internal/dhcpconf"

// Kind is the kind of a Value.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Map
)

// Value is one value of the configuration and its place. Methods on a nil Value answer as if nothing were there.
type Value struct {
	Pos  dhcpconf.Position
	Kind Kind
	// Text is the content of a String, and the text of a Bool or Number.
	Text    string
	Members []Member
	List    []*Value
}

// Member is one name of a Map with its value.
type Member struct {
	Name  string
	Pos   dhcpconf.Position
	Value *Value
}

// Get returns the member at a path of names, nil when there is none. Of a name that stands there twice the last counts.
func (v *Value) Get(path ...string) *Value {
	for _, name := range path {
		m := v.Member(name)
		if m == nil {
			return nil
		}
		v = m.Value
	}
	return v
}

// Member returns a member of a Map, nil when there is none.
func (v *Value) Member(name string) *Member {
	if v == nil {
		return nil
	}
	for i := len(v.Members) - 1; i >= 0; i-- {
		if v.Members[i].Name == name {
			return &v.Members[i]
		}
	}
	return nil
}

// Str returns the text of the String member name, "" when there is none.
func (v *Value) Str(name string) string {
	if m := v.Get(name); m != nil && m.Kind == String {
		return m.Text
	}
	return ""
}

// Items returns the elements of the List member name.
func (v *Value) Items(name string) []*Value {
	if m := v.Get(name); m != nil {
		return m.List
	}
	return nil
}
