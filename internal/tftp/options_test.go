package tftp

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/boot"
)

func TestOptionsAreAgreedOn(t *testing.T) {
	for name, test := range map[string]struct {
		asked    []string
		maxBlock int
		want     string // the OACK's strings; empty: none is sent
	}{
		"none":                         {nil, 0, ""},
		"unknown ones only":            {[]string{"multicast", "", "rollover", "0"}, 0, ""},
		"unknown among known":          {[]string{"utimeout", "3", "tsize", "0"}, 0, "tsize 1000"},
		"all, in the client's order":   {[]string{"windowsize", "4", "tsize", "0", "timeout", "3", "blksize", "1468"}, 0, "windowsize 4 tsize 1000 timeout 3 blksize 1468"},
		"any case, spelled as sent":    {[]string{"BlkSize", "1024", "TSIZE", "0"}, 0, "BlkSize 1024 TSIZE 1000"},
		"the first of a repeated one":  {[]string{"blksize", "1024", "BLKSIZE", "512"}, 0, "blksize 1024"},
		"smallest":                     {[]string{"blksize", "8", "windowsize", "1", "timeout", "1"}, 0, "blksize 8 windowsize 1 timeout 1"},
		"largest":                      {[]string{"blksize", "65464", "windowsize", "64", "timeout", "255"}, 0, "blksize 65464 windowsize 64 timeout 255"},
		"larger is lowered":            {[]string{"blksize", "65465", "windowsize", "65535"}, 0, "blksize 65464 windowsize 64"},
		"lowered to the path's MTU":    {[]string{"blksize", "8192"}, 1500 - PacketOverhead, "blksize 1468"},
		"not raised to the path's MTU": {[]string{"blksize", "1024"}, 1500 - PacketOverhead, "blksize 1024"},
		"a tsize other than 0":         {[]string{"tsize", "77"}, 0, "tsize 1000"},
	} {
		request, raw := rrq(test.asked...)
		transfer, step, err := Open(raw, request, Offer{Body: file(1000), MaxBlock: test.maxBlock, Timing: DefaultTiming()}, epoch)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		first, err := Parse(step.Send[0].Head)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.TrimSpace(strings.ReplaceAll(string(step.Send[0].Head[2:]), "\x00", " "))
		if first.Op == OpDATA {
			got = ""
		}
		if got != test.want {
			t.Errorf("%s: OACK %q, want %q", name, got, test.want)
		}
		if terms := transfer.Terms(); terms.BlockSize > MaxBlockSize || terms.WindowSize > MaxWindowSize {
			t.Errorf("%s: agreed to %+v", name, terms)
		}
	}
}

func TestRequestsAreRefused(t *testing.T) {
	named := func(name string) Packet { return Packet{Op: OpRRQ, Name: name, Mode: "octet"} }
	mode := func(mode string) Packet { return Packet{Op: OpRRQ, Name: "a", Mode: mode} }
	asking := func(name, value string) Packet {
		return Packet{Op: OpRRQ, Name: "a", Mode: "octet", Options: []Option{{name, value}}}
	}
	for name, test := range map[string]struct {
		request Packet
		reason  boot.Reason
		code    ErrorCode
	}{
		"a WRQ":                 {Packet{Op: OpWRQ, Name: "a", Mode: "octet"}, ReasonWriteRefused, CodeAccessViolation},
		"no name":               {named(""), ReasonNameRefused, CodeAccessViolation},
		"a name of 256 bytes":   {named(strings.Repeat("a", 256)), ReasonNameRefused, CodeAccessViolation},
		"a line feed":           {named("a\nb"), ReasonNameRefused, CodeAccessViolation},
		"an escape":             {named("a\x1b[2J"), ReasonNameRefused, CodeAccessViolation},
		"DEL":                   {named("a\x7f"), ReasonNameRefused, CodeAccessViolation},
		"a C1 control":          {named("a\u009b2J"), ReasonNameRefused, CodeAccessViolation},
		"mail":                  {mode("mail"), ReasonModeRefused, CodeIllegalOperation},
		"no mode":               {mode(""), ReasonModeRefused, CodeIllegalOperation},
		"a mode of its own":     {mode("binary"), ReasonModeRefused, CodeIllegalOperation},
		"blksize 7":             {asking("blksize", "7"), ReasonOptionRefused, CodeOptionRefused},
		"blksize -1":            {asking("blksize", "-1"), ReasonOptionRefused, CodeOptionRefused},
		"blksize +512":          {asking("blksize", "+512"), ReasonOptionRefused, CodeOptionRefused},
		"blksize in words":      {asking("BLKSIZE", "large"), ReasonOptionRefused, CodeOptionRefused},
		"blksize, empty":        {asking("blksize", ""), ReasonOptionRefused, CodeOptionRefused},
		"blksize beyond 2^64":   {asking("blksize", "99999999999999999999"), ReasonOptionRefused, CodeOptionRefused},
		"windowsize 0":          {asking("windowsize", "0"), ReasonOptionRefused, CodeOptionRefused},
		"timeout 0":             {asking("timeout", "0"), ReasonOptionRefused, CodeOptionRefused},
		"timeout 256":           {asking("timeout", "256"), ReasonOptionRefused, CodeOptionRefused},
		"tsize that is no size": {asking("tsize", "x"), ReasonOptionRefused, CodeOptionRefused},
	} {
		_, _, err := Open(test.request.AppendTo(nil), test.request, Offer{Timing: DefaultTiming()}, epoch)
		var fault *Fault
		if !errors.As(err, &fault) || fault.Reason != test.reason || fault.Code != test.code {
			t.Errorf("%s: got %v, want %s and ERROR %d", name, err, test.reason, test.code)
		}
	}
}

func TestNamesAndModesAreAccepted(t *testing.T) {
	for _, p := range []Packet{
		{Op: OpRRQ, Name: strings.Repeat("a", 255), Mode: "octet"},
		{Op: OpRRQ, Name: `\boot\ipxe.efi`, Mode: "OCTET"},
		{Op: OpRRQ, Name: "a b/\u00e9", Mode: "NetASCII"},
	} {
		if err := Check(p); err != nil {
			t.Errorf("%q in mode %q: %v", p.Name, p.Mode, err)
		}
	}
}

func TestNetascii(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{"", ""},
		{"plain", "plain"},
		{"a\nb\n", "a\r\nb\r\n"},
		{"a\rb", "a\r\x00b"},
		{"a\r\nb", "a\r\x00\r\nb"},
		{"\r\r\n\n", "\r\x00\r\x00\r\n\r\n"},
		{"1234567\n", "1234567\r\n"}, // the pair lies on both sides of the block's end
		{"123456\n1", "123456\r\n1"}, // the pair ends the block
		{"1234567\r1234567\r", "1234567\r\x001234567\r\x00"},
	} {
		request := Packet{Op: OpRRQ, Name: "a", Mode: "netascii", Options: []Option{{"blksize", "8"}, {"windowsize", "4"}, {"tsize", "0"}}}
		transfer, step, err := Open(nil, request, Offer{Body: []byte(test.body), Timing: DefaultTiming()}, epoch)
		if err != nil {
			t.Fatal(err)
		}
		oack, err := Parse(step.Send[0].Head)
		if err != nil {
			t.Fatal(err)
		}
		r := &reader{blockSize: 8, windowSize: 1, expected: 1}
		n := &network{now: epoch, fates: []fate{deliver, deliver, lose, deliver, deliver, duplicate}}
		end := n.run(t, transfer, step, r)
		if end.Reason != ReasonServed || string(r.got) != test.want {
			t.Errorf("%q: %s with %q, want %q", test.body, end.Reason, r.got, test.want)
		}
		want := []Option{{"blksize", "8"}, {"windowsize", "1"}, {"tsize", itoa(len(test.want))}}
		if diff := cmp.Diff(want, oack.Options); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.body, diff)
		}
	}
}
