package reservation

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseMACAcceptsEveryCommonSpelling(t *testing.T) {
	want := MAC{0x52, 0x54, 0x00, 0xab, 0xcd, 0xef}
	for _, s := range []string{
		"52:54:00:ab:cd:ef", "52:54:00:AB:CD:EF", "52-54-00-ab-cd-ef", "52-54-00-AB-CD-EF", "5254.00ab.cdef", "525400abcdef", "525400ABCDEF",
	} {
		got, err := ParseMAC(s)
		if err != nil || got != want {
			t.Errorf("ParseMAC(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
}

func TestParseMACRefusesEverythingElse(t *testing.T) {
	for _, s := range []string{
		"", "52:54:00:ab:cd", "52:54:00:ab:cd:ef:00", "52:54-00:ab:cd:ef", "52:54:00:ab:cd:eg", " 52:54:00:ab:cd:ef",
		"52:54:00:ab:cd:ef\n", "junk52:54:00:ab:cd:ef", "5254:00ab:cdef", "52.54.00.ab.cd.ef", "525400abcde", "525400abcdefg",
		"5254.00ab-cdef", ":::::::::::::::::", "------------", strings.Repeat("5", 1<<16),
	} {
		if got, err := ParseMAC(s); err == nil {
			t.Errorf("ParseMAC(%q) = %v; want an error", s, got)
		} else if len(err.Error()) > 250 {
			t.Errorf("ParseMAC of a long value gives an error of %d bytes", len(err.Error()))
		}
	}
}

func TestMACSurvivesEverySpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m MAC
		copy(m[:], rapid.SliceOfN(rapid.Byte(), 6, 6).Draw(t, "mac"))
		for _, s := range []string{m.String(), m.Dashed(), fmt.Sprintf("%X", m[:]), strings.ToUpper(m.String())} {
			if got, err := ParseMAC(s); err != nil || got != m {
				t.Fatalf("ParseMAC(%q) = %v, %v; want %v", s, got, err, m)
			}
		}
		text, err := m.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back MAC
		if err := back.UnmarshalText(text); err != nil || back != m {
			t.Fatalf("text %q reads back as %v, %v", text, back, err)
		}
	})
}

func FuzzParseMAC(f *testing.F) {
	for _, s := range []string{"52:54:00:12:34:56", "5254.0012.3456", "525400123456", "52-54-00-12-34-56", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMAC(s)
		if err != nil {
			return
		}
		var digits strings.Builder
		for _, c := range strings.ToLower(s) {
			if !strings.ContainsRune(":-.", c) {
				digits.WriteRune(c)
			}
		}
		if want := fmt.Sprintf("%x", m[:]); digits.String() != want {
			t.Fatalf("ParseMAC(%q) = %s", s, want)
		}
	})
}

func TestMACKinds(t *testing.T) {
	group, own := MAC{0x01, 0, 0x5e, 0, 0, 1}, MAC{0x52, 0x54}
	if !group.IsGroup() || own.IsGroup() {
		t.Error("IsGroup does not tell multicast from unicast")
	}
	if !(MAC{}).IsZero() || own.IsZero() {
		t.Error("IsZero does not tell none from some")
	}
	if own.Compare(group) <= 0 || group.Compare(own) >= 0 || own.Compare(own) != 0 {
		t.Error("Compare is no order")
	}
	if !own.HasOUI([3]byte{0x52, 0x54, 0}) || own.HasOUI([3]byte{0x52, 0x54, 1}) {
		t.Error("HasOUI does not look at exactly the first three bytes")
	}
}

func TestProblemIsOneLineThatNamesEverything(t *testing.T) {
	p := Problem{
		Source: Source{Namespace: "eksa-system", Name: "wk01"}, Field: "spec.interfaces[0].dhcp.mac",
		Value: "x\n" + strings.Repeat("y", 500), Remedy: "write it like 52:54:00:12:34:56",
	}
	got := p.Error()
	if strings.ContainsAny(got, "\n\r") || len(got) > 300 {
		t.Errorf("not one short line: %q", got)
	}
	for _, want := range []string{"eksa-system/wk01", p.Field, `"x\ny`, p.Remedy} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not name %q", got, want)
		}
	}
}
