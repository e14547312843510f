package dhcpconf

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestFilesEnd(t *testing.T) {
	read := func(name string) (string, error) {
		switch name {
		case "folder":
			return "a\nb\n", ErrFolder
		case "big":
			return strings.Repeat("x", MaxSize), nil
		case "missing":
			return "", errors.New("no such file")
		}
		return "text", nil
	}
	f := NewFiles("main", 10, read)
	if text, err := f.Enter("a"); err != nil || text != "text" {
		t.Fatalf("a: %q, %v", text, err)
	}
	for name, says := range map[string]string{"a": "includes itself", "main": "includes itself", "missing": "no such file", "big": "MiB"} {
		if _, err := f.Enter(name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %q", name, err, says)
		}
	}
	f.Leave()
	if _, err := NewFiles("main", 0, read).Enter("folder"); !errors.Is(err, ErrFolder) {
		t.Errorf("folder: %v", err)
	}
	if _, err := NewFiles("main", 0, nil).Enter("a"); err == nil {
		t.Error("no reader: no error")
	}
	deep := NewFiles("main", 0, read)
	var err error
	for i := 0; err == nil && i < 100; i++ {
		_, err = deep.Enter(strings.Repeat("d", i+1))
	}
	if err == nil || !strings.Contains(err.Error(), "deep") {
		t.Errorf("nested for ever: %v", err)
	}
	many := NewFiles("main", 0, read)
	err = nil
	for i := 0; err == nil && i < 10000; i++ {
		if _, err = many.Enter("x"); err == nil {
			many.Leave()
		}
	}
	if err == nil || !strings.Contains(err.Error(), "2000 files") {
		t.Errorf("many files: %v", err)
	}
}

func TestRoutesOf(t *testing.T) {
	routes, ok := RoutesOf([]byte{8, 10, 10, 1, 1, 1, 0, 10, 1, 1, 2, 32, 1, 2, 3, 4, 5, 6, 7, 8})
	if !ok || len(routes) != 2 || routes[0].Destination != netip.MustParsePrefix("10.0.0.0/8") || routes[1].Router != netip.MustParseAddr("5.6.7.8") {
		t.Errorf("%v, %v", routes, ok)
	}
	for _, b := range [][]byte{{33, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {8, 10}, {24, 10, 0, 0}} {
		if routes, ok := RoutesOf(b); ok {
			t.Errorf("%v: %v", b, routes)
		}
	}
}
