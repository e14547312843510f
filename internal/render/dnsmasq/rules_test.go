package dnsmasq

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/rendertest"
)

// asked is one request as dnsmasq looks at it: the tags that it has of itself, and its options.
type asked struct {
	tags      []string
	vendor    string
	userClass string
	arch      boot.Arch
	ipxe      []byte
}

// requests are the clients of a rule: each architecture, the user class raw and with its length before it.
func requests(rule boot.Rule, tags ...string) []asked {
	archs := rule.Archs
	if archs == nil {
		archs = []boot.Arch{boot.ArchBIOS, boot.ArchX64, boot.ArchARM64}
	}
	classes := []string{rule.Client.UserClass}
	if class := rule.Client.UserClass; class != "" {
		classes = append(classes, string(rune(len(class)))+class)
	}
	var all []asked
	for _, arch := range archs {
		for _, class := range classes {
			a := asked{tags: tags, vendor: fmt.Sprintf("%s:Arch:%05d:UNDI:003016", rule.Client.VendorClass, arch), userClass: class, arch: arch}
			if rule.Client.IPXE.HTTP {
				a.ipxe = []byte{0xb1, 5, 1, 0x1a, 0xf4, 0x10, 0, 0x13, 1, 1}
			}
			all = append(all, a)
		}
	}
	return all
}

// answer evaluates a whole configuration as dnsmasq does: the boot options that a client is told.
func answer(t *testing.T, whole string, c asked) map[string]string {
	t.Helper()
	tags := slices.Clone(c.tags)
	told := map[string]string{}
	for line := range strings.Lines(whole) {
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		args := strings.Split(rest, ",")
		switch word {
		case "dhcp-match":
			if matches(t, args[1:], c) {
				tags = append(tags, strings.TrimPrefix(args[0], "set:"))
			}
		case "dhcp-userclass":
			if strings.Contains(c.userClass, args[1]) {
				tags = append(tags, strings.TrimPrefix(args[0], "set:"))
			}
		case "tag-if":
			if sets, all := conditions(args, tags); all {
				tags = append(tags, sets...)
			}
		case "dhcp-option":
			if slices.Contains(tags, strings.TrimPrefix(args[0], "tag:")) && strings.Contains(args[0], "-rule.") {
				if _, ok := told[args[1]]; ok {
					t.Fatalf("%v is told %s twice", c, args[1])
				}
				told[args[1]] = strings.Trim(strings.Join(args[2:], ","), `"`)
			}
		}
	}
	return told
}

func matches(t *testing.T, args []string, c asked) bool {
	t.Helper()
	switch args[0] {
	case "60":
		prefix, err := hex.DecodeString(strings.ReplaceAll(args[1], ":", ""))
		if err != nil {
			t.Fatal(err)
		}
		return strings.HasPrefix(c.vendor, string(prefix))
	case "175":
		number, err := strconv.Atoi(args[1])
		if err != nil {
			t.Fatal(err)
		}
		return bytes.IndexByte(c.ipxe, byte(number)) >= 0
	case "option:client-arch":
		return args[1] == strconv.Itoa(int(c.arch))
	}
	t.Fatalf("a match that dnsmasq was not asked for before: %v", args)
	return false
}

func conditions(args, tags []string) (sets []string, all bool) {
	for _, arg := range args {
		if set, ok := strings.CutPrefix(arg, "set:"); ok {
			sets = append(sets, set)
			continue
		}
		name, negated := strings.CutPrefix(strings.TrimPrefix(arg, "tag:"), "!")
		if slices.Contains(tags, name) == negated {
			return nil, false
		}
	}
	return sets, true
}

// told is a decision in the words of answer.
func told(d boot.Decision) map[string]string {
	if d.Action != boot.Boot || d.RaspberryPiMenu {
		return map[string]string{}
	}
	options := map[string]string{"option:bootfile-name": d.BootFile, "option:server-ip-address": d.NextServer.String()}
	if d.ServerName != "" {
		options["option:tftp-server"] = d.ServerName
	}
	if d.VendorClass != boot.VendorOther {
		options["option:vendor-class"] = d.VendorClass.String()
	}
	if d.NoProxyDHCP {
		options["encap:175"] = "176,1b"
	}
	return options
}

func TestEveryKindOfClientIsToldWhatTheTableSays(t *testing.T) {
	whole := rendertest.Word("lab", "192.168.2.2")
	noHTTP, noTFTP, nothing := whole, whole, whole
	noHTTP.Says.HTTPPort, noHTTP.Says.ScriptPath = 0, ""
	noTFTP.Says.TFTPPort = 0
	nothing.Says.BootFiles = ""
	for name, word := range map[string]render.Word{"whole": whole, "no HTTP": noHTTP, "no TFTP": noTFTP, "no files": nothing} {
		w := rendertest.Site(word, 0)
		out := room.Render.Must(t, w)
		e, err := word.Endpoint()
		if err != nil {
			t.Fatal(err)
		}
		inside := rangeTag(word, w.Networks[1].Prefix)
		for _, rule := range boot.Table(e) {
			for _, c := range requests(rule, "known", inside) {
				if diff := cmp.Diff(told(rule.Decision), answer(t, out.Whole, c)); diff != "" {
					t.Errorf("%s, %s: %+v (-table +rendered):\n%s", name, rule.Name, c, diff)
				}
			}
			for _, tags := range [][]string{{inside}, {"known"}, {"known", inside, Exempt}} {
				for _, c := range requests(rule, tags...) {
					if got := answer(t, out.Whole, c); len(got) > 0 {
						t.Errorf("%s, %s: a client that is not ours, with the tags %v, is told %v", name, rule.Name, tags, got)
					}
				}
			}
		}
	}
}

func TestTheOperatorsFileIsFixed(t *testing.T) {
	before, after := site(), rendertest.Site(rendertest.Word("lab", "192.168.2.77"), 1)
	after.Word.Says.BootFiles, after.Word.Mark.Fence.Epoch = "", 9
	if diff := cmp.Diff(room.Render.Must(t, before).Operator, room.Render.Must(t, after).Operator); diff != "" {
		t.Errorf("it changes with what is advertised:\n%s", diff)
	}
}

func TestTagsOfTwoClustersDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, cluster := range []string{"a", "a-class", "a-rule", "a-net", "a-archs", "a-range"} {
		for line := range strings.Lines(room.Render.Must(t, rendertest.Site(rendertest.Word(cluster, "192.168.2.2"), 0)).Operator.Text) {
			for arg := range strings.SplitSeq(strings.TrimSpace(line), ",") {
				_, name, ok := strings.Cut(arg, "set:")
				if !ok || strings.HasPrefix(line, "#") {
					continue
				}
				if other := seen[name]; other != "" && other != cluster {
					t.Errorf("%s is a tag of the clusters %s and %s", name, other, cluster)
				}
				seen[name] = cluster
			}
		}
	}
	if len(seen) < 100 {
		t.Errorf("%d tags looked at", len(seen))
	}
}
