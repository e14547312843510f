package dnsmasq

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
		"address":        {"0a:01,192.168.2.101", "0a:01,192.168.2.199", "hosts line 4: ", true},
		"next-server":    {"server-ip-address,192.168.2.2\n", "server-ip-address,192.168.2.99\n", "options line 10: ", true},
		"shared address": {"0a:01,192.168.2.101", "0a:01,192.168.2.102", "192.168.2.102", false},
		"shared MAC":     {"02:00:00:00:0a:01", "02:00:00:00:0a:02", "0a:02", false},
		"tag":            {"02:00:00:00:0a:01,", "02:00:00:00:0a:01,set:x,", "set:x", false},
		"name":           {",node1,", ",12h,", "12h", false},
		"lease":          {"node1,86400", "node1,1", "node1,1", false},
		"no lease":       {"node1,86400", "node1", "node1", false},
		"comment":        {"02:00:00:00:0a:01", "# by hand\n02:00:00:00:0a:01", "hosts line 4: ", false},
		"another's tag":  {"tag:tugboot-lab-rule.ipxe,", "tag:tugboot-edge-rule.ipxe,", "tugboot-edge", false},
		"no tag":         {"tag:tugboot-lab-rule.ipxe,", "", "not wanted", false},
		"option":         {"option:tftp-server,", "option:sname,", "sname", false},
		"open quote":     {`"lab.example"`, `"lab.example`, "lab.example", false},
		"twice":          {"option:domain-search,", "option:domain-name,", "domain-search", false},
		"router":         {"option:router,192.168.2.254", "option:router,gate", "gate", false},
		"long line":      {`"lab.example"`, `"` + strings.Repeat("a", maxLine) + `"`, "aaa", false},
		"first line":     {"Changes made here", "changes made here", "line 1: ", false},
		"last line cut":  {"0a:02,192.168.2.102,node2,infinite\n", "0a:02,192.168.2.102,node2,infinite", "", false},
	} {
		w := site()
		texts := rendertest.Live(room.Render.Must(t, w))
		rendertest.Edit(t, texts, c.old, c.with)
		if err := room.CheckAll(texts); (err == nil) != c.passes {
			t.Errorf("%s: check says %v", name, err)
		}
		if c.drift == "" {
			continue // the missing end of the last line is what the check alone sees
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
	rendertest.Edit(t, texts, "02:00:00:00:0a:03", strings.Repeat("x\n", 100)+"02:00:00:00:0a:03")
	if _, _, drift, drifts, err := Standing(texts, w); len(drift) != render.MaxDrift || drifts != 100 || err != nil {
		t.Errorf("%d sentences, %d drifts, error %v", len(drift), drifts, err)
	}
}

func TestLinesInAnotherOrder(t *testing.T) {
	w := site()
	texts := rendertest.Live(room.Render.Must(t, w))
	lines := strings.SplitAfter(texts[HostsName(w.Word)], "\n")
	lines[2], lines[3] = lines[3], lines[2]
	texts[HostsName(w.Word)] = strings.Join(lines, "")
	if _, n, drift, drifts, err := Standing(texts, w); drifts != 1 || n != 3 || err != nil || !strings.Contains(drift[0], "line 4: ") {
		t.Errorf("%d reservations, drift %q, error %v", n, drift, err)
	}
}

func TestTwoWordsAreHalfAnApply(t *testing.T) {
	before, after := site(), site()
	after.Word.Mark.Fence.Epoch++
	texts := rendertest.Live(room.Render.Must(t, before))
	texts[OptionsName(after.Word)] = rendertest.Live(room.Render.Must(t, after))[OptionsName(after.Word)]
	if got, _, drift, drifts, err := Standing(texts, before); got != after.Word || drifts != 1 || err != nil {
		t.Errorf("%v stands, drift %q, error %v: wanted the higher word and one difference", got, drift, err)
	}
}

func TestTooLongAMarkIsRefused(t *testing.T) {
	w := site()
	w.Word.Says.BootFiles = "bios=" + strings.Repeat("a", 127) + " uefi-arm32=" + strings.Repeat("b", 127) + " uefi-arm64=" + strings.Repeat("c", 127) +
		" uefi-ia32=" + strings.Repeat("d", 127) + " uefi-riscv32=" + strings.Repeat("e", 127) + " uefi-x86-64=" + strings.Repeat("f", 127)
	if _, err := Render(w); err == nil || !strings.Contains(err.Error(), "shorten") {
		t.Errorf("error %v: dnsmasq would cut the line in two", err)
	}
}

func TestHostnames(t *testing.T) {
	for name, want := range map[string]bool{
		"node1": true, "n": true, "1a": true, "0x1": true, "host": true, "sm": true, "12hh": true, "": false, "12": false, "12h": false,
		"1w": false, "7D": false, "infinite": false, "Ignore": false, "a_b": false, "-a": false, "a-": false, "a,b": false, "a\nb": false, "é": false,
	} {
		if got := isHostname(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
