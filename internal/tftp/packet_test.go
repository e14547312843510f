package tftp

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for name, test := range map[string]struct {
		bytes string
		want  Packet
	}{
		"RRQ":                     {"\x00\x01a\x00octet\x00", Packet{Op: OpRRQ, Name: "a", Mode: "octet"}},
		"RRQ with options":        {"\x00\x01a\x00OCTET\x00blksize\x001468\x00", Packet{Op: OpRRQ, Name: "a", Mode: "OCTET", Options: []Option{{"blksize", "1468"}}}},
		"RRQ padded to a size":    {"\x00\x01a\x00octet\x00\x00\x00\x00\x00", Packet{Op: OpRRQ, Name: "a", Mode: "octet"}},
		"option with no value":    {"\x00\x01a\x00octet\x00x\x00\x00", Packet{Op: OpRRQ, Name: "a", Mode: "octet", Options: []Option{{"x", ""}}}},
		"WRQ":                     {"\x00\x02a\x00octet\x00", Packet{Op: OpWRQ, Name: "a", Mode: "octet"}},
		"DATA":                    {"\x00\x03\x01\x02xyz", Packet{Op: OpDATA, Block: 258, Payload: []byte("xyz")}},
		"empty DATA":              {"\x00\x03\x00\x01", Packet{Op: OpDATA, Block: 1}},
		"ACK":                     {"\x00\x04\xff\xff", Packet{Op: OpACK, Block: 65535}},
		"ACK with trailing bytes": {"\x00\x04\x00\x01junk", Packet{Op: OpACK, Block: 1}},
		"ERROR":                   {"\x00\x05\x00\x08stop\x00", Packet{Op: OpERROR, Code: 8, Message: "stop"}},
		"ERROR without NUL":       {"\x00\x05\x00\x00stop", Packet{Op: OpERROR, Message: "stop"}},
		"ERROR without text":      {"\x00\x05\x00\x01", Packet{Op: OpERROR, Code: 1}},
		"OACK":                    {"\x00\x06tsize\x0012\x00", Packet{Op: OpOACK, Options: []Option{{"tsize", "12"}}}},
	} {
		got, err := Parse([]byte(test.bytes))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, b := range map[string]string{
		"nothing":                 "",
		"one byte":                "\x00",
		"half an ACK":             "\x00\x04\x00",
		"opcode 0":                "\x00\x00\x00\x00",
		"opcode 7":                "\x00\x07\x00\x00",
		"little-endian opcode":    "\x01\x00a\x00octet\x00",
		"RRQ without a NUL":       "\x00\x01abc",
		"RRQ without a mode":      "\x00\x01abc\x00",
		"RRQ with an open mode":   "\x00\x01abc\x00octet",
		"RRQ with half an option": "\x00\x01abc\x00octet\x00blksize\x00",
		"RRQ with an open value":  "\x00\x01abc\x00octet\x00blksize\x00512",
		"RRQ, option of no name":  "\x00\x01abc\x00octet\x00\x00512\x00",
		"OACK with half a pair":   "\x00\x06blksize",
	} {
		_, err := Parse([]byte(b))
		var fault *Fault
		if !errors.As(err, &fault) || fault.Reason != ReasonMalformed || fault.Code != CodeIllegalOperation {
			t.Errorf("%s: got %v, want %s and ERROR 4", name, err, ReasonMalformed)
		}
	}
}

// text draws strings as they may stand in a packet.
func text(least int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("abzAZ09/.-_ %\n\x1b\u00e9\u202e")), least, 40, -1)
}

func TestWhatIsBuiltParses(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := Packet{Op: Opcode(rapid.IntRange(1, 6).Draw(rt, "op"))}
		switch p.Op {
		case OpRRQ, OpWRQ:
			p.Name, p.Mode = text(0).Draw(rt, "name"), text(0).Draw(rt, "mode")
		case OpDATA:
			p.Payload = rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(rt, "payload")
		case OpERROR:
			p.Code, p.Message = ErrorCode(rapid.Uint16().Draw(rt, "code")), text(0).Draw(rt, "message")
		}
		if p.Op == OpRRQ || p.Op == OpWRQ || p.Op == OpOACK {
			for range rapid.IntRange(0, 4).Draw(rt, "options") {
				p.Options = append(p.Options, Option{text(1).Draw(rt, "option"), text(0).Draw(rt, "value")})
			}
		}
		if p.Op == OpDATA || p.Op == OpACK {
			p.Block = rapid.Uint16().Draw(rt, "block")
		}
		b := p.AppendTo(nil)
		if len(b) < headerSize { // an OACK that agrees to nothing, which nobody sends
			return
		}
		got, err := Parse(b)
		if err != nil {
			rt.Fatalf("%x: %v", b, err)
		}
		if diff := cmp.Diff(p, got, cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestErrorPacketIsShortAndPrintable(t *testing.T) {
	b := ErrorPacket(CodeFileNotFound, "no \x1b[2J\u202e"+strings.Repeat("x", 1000))
	p, err := Parse(b)
	if err != nil || p.Op != OpERROR || p.Code != CodeFileNotFound {
		t.Fatalf("%+v, %v", p, err)
	}
	if len(p.Message) != MaxMessage || !strings.HasPrefix(p.Message, "no ?[2J?xxx") {
		t.Errorf("message of %d bytes: %q", len(p.Message), p.Message)
	}
	if !bytes.HasSuffix(b, []byte{0}) {
		t.Error("the message does not end in a NUL")
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"edk2-x64.hex", "bios-rom-ipxe.hex"} {
		for _, e := range firmware(f, name) {
			f.Add(e.payload)
		}
	}
	for _, seed := range []string{"", "\x00\x04\x00\x01", "\x00\x01\x00\x00", "\x00\x01a\x00octet\x00\x00\x00x", "\x00\x05\x00\x08", "\x00\x03\xff\xffx"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		var fault *Fault
		if err != nil {
			if !errors.As(err, &fault) || fault.Reason == "" || fault.Message == "" {
				t.Fatalf("not a fault that says why: %v", err)
			}
			return
		}
		again, err := Parse(p.AppendTo(nil))
		if p.Op == OpOACK && len(p.Options) == 0 {
			return
		}
		if diff := cmp.Diff(p, again, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Fatalf("built and parsed again it is another packet (%v):\n%s", err, diff)
		}
	})
}
