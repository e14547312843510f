package isc

import (
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/rendertest"
)

func TestEditedByHand(t *testing.T) {
	for name, c := range map[string]struct {
		old, with, drift string // drift is in one of the sentences
		passes           bool   // the line is one that could have been written
	}{
		"address":           {"fixed-address 192.168.2.101;", "fixed-address 192.168.2.199;", "line 16: ", true},
		"next-server":       {"next-server 192.168.2.2;", "next-server 192.168.2.99;", "line 6: ", true},
		"shared address":    {"fixed-address 192.168.2.101;", "fixed-address 192.168.2.102;", "192.168.2.102", false},
		"shared MAC":        {"ethernet 02:00:00:00:0a:02;", "ethernet 02:00:00:00:0a:01;", "0a:01", false},
		"name of the host":  {"host tugboot-lab-02000000", "host own-02000000", "not wanted", false},
		"boot file":         {"fixed-address 192.168.2.101;", `fixed-address 192.168.2.101; filename "a";`, "line 16: ", false},
		"comment":           {"group {\n", "group {\n# by hand\n", "line 4: ", false},
		"no rules":          {"    elsif", "    elseif", "line 7: ", false},
		"open rules":        {"  }\n", "", `"  }"`, false},
		"first line":        {"Changes made here", "changes made here", "line 1: ", false},
		"cut":               {"}\n}\n", "}\n", "wanted", false},
		"vendor class gone": {` option vendor-class-identifier "HTTPClient";`, "", "line 7: ", true},
	} {
		w := site()
		texts := rendertest.Live(room.Render.Must(t, w))
		rendertest.Edit(t, texts, c.old, c.with)
		if err := room.CheckAll(texts); (err == nil) != c.passes {
			t.Errorf("%s: check says %v", name, err)
		}
		_, _, drift, drifts, err := Standing(texts, w)
		if err != nil || drifts == 0 || !strings.Contains(strings.Join(drift, "\n"), c.drift) {
			t.Errorf("%s: drift %q (%d), error %v, wanted %q in it", name, drift, drifts, err, c.drift)
		}
	}
}

func TestDriftIsBounded(t *testing.T) {
	w := site()
	texts := rendertest.Live(room.Render.Must(t, w))
	rendertest.Edit(t, texts, "group {\n", "group {\n"+strings.Repeat("x;\n", 100))
	if _, _, drift, drifts, err := Standing(texts, w); len(drift) != render.MaxDrift || drifts != 100 || err != nil {
		t.Errorf("%d sentences, %d drifts, error %v", len(drift), drifts, err)
	}
}
