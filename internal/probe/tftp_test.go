package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tugboot/tugboot/internal/tftp"
)

const dir = "tftp://192.168.2.50:69/"

// ask asks for undionly.kpxe, which is answered by files; others are not answered.
func ask(t *testing.T, answers func(nth int) []packet) (*lan, error) {
	t.Helper()
	l := &lan{files: func(_ string, nth int) []packet { return answers(nth) }}
	p := l.on(t, Options{})
	return l, p.bootFile(t.Context(), netip.AddrPortFrom(tinkerbellIP, 69), "undionly.kpxe")
}

func TestFirstBlock(t *testing.T) {
	server, other := tid(tinkerbellIP), tid(bootstrapIP)
	good := block(1, strings.Repeat("x", blockSize))
	for name, test := range map[string]struct {
		packets []packet
		want    string // empty for a file that is served
	}{
		"full block":                {[]packet{{from: server, bytes: good}}, ""},
		"block of one byte":         {[]packet{{from: server, bytes: block(1, "x")}}, ""},
		"from the request's port":   {[]packet{{from: netip.AddrPortFrom(tinkerbellIP, 69), bytes: good}}, ""},
		"from another address":      {[]packet{{from: other, bytes: good}}, "no answer from that address, but one from 192.168.2.112"},
		"another address first":     {[]packet{{from: other, bytes: block(1, "")}, {from: server, bytes: good}}, ""},
		"another address's ERROR":   {[]packet{{from: other, bytes: tftp.ErrorPacket(1, "no")}, {from: server, bytes: good}}, ""},
		"garbage first":             {[]packet{{from: server, bytes: []byte("x")}, {from: server, bytes: good}}, ""},
		"another block first":       {[]packet{{from: server, bytes: block(2, "x")}, {from: server, bytes: good}}, ""},
		"another block only":        {[]packet{{from: server, bytes: block(2, "x")}}, "no answer within 3s"},
		"OACK, which nobody wanted": {[]packet{{from: server, bytes: []byte("\x00\x06tsize\x001\x00")}}, "no answer within 3s"},
		"ACK":                       {[]packet{{from: server, bytes: tftp.Packet{Op: tftp.OpACK, Block: 1}.AppendTo(nil)}}, "no answer within 3s"},
		"empty file":                {[]packet{{from: server, bytes: block(1, "")}}, "the file is empty"},
		"block too long":            {[]packet{{from: server, bytes: block(1, strings.Repeat("x", blockSize+1))}}, "more than 512 bytes"},
		"packet far too long":       {[]packet{{from: server, bytes: block(1, strings.Repeat("x", 60_000))}}, "more than 512 bytes"},
		"ERROR":                     {[]packet{{from: server, bytes: tftp.ErrorPacket(tftp.CodeFileNotFound, "no such file")}}, `ERROR 1 "no such file"`},
		"ERROR that shouts": {[]packet{{from: server, bytes: tftp.Packet{Op: tftp.OpERROR, Message: "a\nb\x1b[2J" + strings.Repeat("x", 300)}.AppendTo(nil)}},
			`ERROR 0 "a\nb\x1b[2Jxxx`},
	} {
		synctest.Test(t, func(t *testing.T) {
			l, err := ask(t, func(nth int) []packet {
				if nth > 1 {
					return nil
				}
				return test.packets
			})
			has(t, name, text(err), test.want)
			last := l.sent[len(l.sent)-1]
			switch {
			case test.want != "" && err == nil:
				t.Errorf("%s: served", name)
			case test.want == "" && err != nil:
				t.Errorf("%s: %v", name, err)
			case test.want == "" && (last.p.Op != tftp.OpERROR || last.to != test.packets[len(test.packets)-1].from):
				t.Errorf("%s: the transfer was not broken off at its own port: %+v", name, last)
			case test.want != "" && last.p.Op != tftp.OpRRQ:
				t.Errorf("%s: sent %+v", name, last)
			}
		})
	}
}

func TestLostPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l, err := ask(t, func(int) []packet { return nil })
		has(t, "error", text(err), "no answer within 3s", "UDP")
		if took := time.Since(began); took != DefaultTimeout {
			t.Errorf("took %s", took)
		}
		var when []time.Duration
		for _, d := range l.sent {
			when = append(when, d.at.Sub(began))
			if d.p.Op != tftp.OpRRQ || d.p.Name != "undionly.kpxe" || d.p.Mode != "octet" || len(d.p.Options) > 0 || d.to.Port() != 69 {
				t.Errorf("sent %+v to %s", d.p, d.to)
			}
		}
		if fmt.Sprint(when) != "[0s 1s 2s]" {
			t.Errorf("asked at %v", when)
		}
	})
	for lost := 1; lost < requests; lost++ {
		synctest.Test(t, func(t *testing.T) {
			_, err := ask(t, func(nth int) []packet {
				if nth <= lost {
					return nil
				}
				return []packet{{after: 900 * time.Millisecond, from: tid(tinkerbellIP), bytes: block(1, "x")}}
			})
			if err != nil {
				t.Errorf("%d requests lost: %v", lost, err)
			}
		})
	}
}

func TestNetworkThatFails(t *testing.T) {
	p := New(Options{})
	p.listen = func(context.Context) (packetConn, error) { return nil, errOther }
	err := p.bootFile(t.Context(), netip.AddrPortFrom(tinkerbellIP, 69), "a")
	has(t, "error", text(err), `"something \x1b[2J else"`)
}

func TestBootFiles(t *testing.T) {
	all := append([]string{"snponly.efi", "ipxe-i386.efi", "snp-arm32.efi", "ipxe-riscv64.efi"}, tinkerbellFiles...)
	for name, test := range map[string]struct {
		served, required []string
		pairs            string
		want             []string // of what is wrong
	}{
		"Tinkerbell":                  {tinkerbellFiles, []string{"undionly.kpxe", "ipxe.efi"}, tinkerbellPairs, nil},
		"everything":                  {all, nil, "bios=undionly.kpxe raspberry-pi=snp-arm64.efi uefi-arm32=snp-arm32.efi uefi-arm64=snp-arm64.efi uefi-ia32=ipxe-i386.efi uefi-riscv64=ipxe-riscv64.efi uefi-x86-64=ipxe.efi", nil},
		"a required one is preferred": {all, []string{"snponly.efi"}, "bios=undionly.kpxe raspberry-pi=snp-arm64.efi uefi-arm32=snp-arm32.efi uefi-arm64=snp-arm64.efi uefi-ia32=ipxe-i386.efi uefi-riscv64=ipxe-riscv64.efi uefi-x86-64=snponly.efi", nil},
		"a shim that is required": {[]string{"undionly.kpxe", "ipxe.efi", "shimx64.efi"}, []string{"undionly.kpxe", "shimx64.efi"},
			"bios=undionly.kpxe uefi-x86-64=shimx64.efi", nil},
		"a shim that is there only":       {[]string{"ipxe.efi", "shimx64.efi"}, nil, "uefi-x86-64=ipxe.efi", nil},
		"the second name of a family":     {[]string{"snp-x86_64.efi"}, nil, "uefi-x86-64=snp-x86_64.efi", nil},
		"own names":                       {[]string{"site.efi"}, []string{"site.efi"}, "", nil},
		"one missing":                     {[]string{"undionly.kpxe"}, []string{"undionly.kpxe", "ipxe.efi"}, "bios=undionly.kpxe", []string{dir + "ipxe.efi: ", `ERROR 1 "file not found"`}},
		"two missing":                     {nil, []string{"undionly.kpxe", "ipxe.efi"}, "", []string{dir + "undionly.kpxe: ", "and 1 more"}},
		"nothing wanted, and nothing had": {nil, nil, "", []string{"tftp://192.168.2.50:69: none of the known boot files", "undionly.kpxe", "ERROR 1"}},
		"a name that cannot be asked for": {tinkerbellFiles, []string{"a\x00octet\x00b"}, tinkerbellPairs, []string{dir + `a\x00octet\x00b: such a name cannot be asked for`}},
		"a name of a line":                {tinkerbellFiles, []string{"a\nb" + strings.Repeat("c", 300)}, tinkerbellPairs, []string{dir + `a\nbccc`, "cannot be asked for"}},
		"no name":                         {tinkerbellFiles, []string{""}, tinkerbellPairs, []string{dir + ": such a name cannot be asked for"}},
	} {
		l := &lan{files: shelf(tinkerbellIP, test.served...)}
		got := l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, BootFiles: test.required}, clock)
		has(t, name, got.BootFile, test.want...)
		if (got.BootFile == "") != (test.want == nil) || got.Endpoint.BootFiles != test.pairs || (got.Endpoint.TFTPPort == 69) != (len(test.served) > 0) {
			t.Errorf("%s: %q and %+v", name, got.BootFile, got.Endpoint)
		}
	}
}

func TestWhy(t *testing.T) {
	p := New(Options{})
	for want, err := range map[string]error{
		"no answer within 3s":                fmt.Errorf("x: %w", context.DeadlineExceeded),
		`"something \x1b[2J else"`:           errOther,
		"a finding":                          fmt.Errorf("x: %w", heard("a finding")),
		`"` + strings.Repeat("x", 120) + `"`: errors.New(strings.Repeat("x", 999)),
	} {
		if got := p.why(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// A stack logs each request for a file that it has not: once it is known what it serves, it is asked for that alone.
func TestOnlyWhatWasServedIsAskedForAgain(t *testing.T) {
	var mu sync.Mutex
	var names []string
	stack := shelf(tinkerbellIP, tinkerbellFiles...)
	l := &lan{files: func(name string, nth int) []packet {
		mu.Lock()
		defer mu.Unlock()
		names = append(names, name)
		return stack(name, nth)
	}}
	target := Target{Addr: tinkerbellIP, BootFiles: []string{"undionly.kpxe", "own.efi"}}
	first := l.on(t, Options{}).Stack(t.Context(), target, clock)
	if len(names) < 8 {
		t.Fatalf("the first round asked for %q", names)
	}
	names, target.Served = nil, first.Endpoint.BootFiles
	again := l.on(t, Options{}).Stack(t.Context(), target, clock)
	slices.Sort(names)
	if got, want := strings.Join(names, " "), "ipxe.efi own.efi snp-arm64.efi undionly.kpxe"; got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
	if again.Endpoint.BootFiles != first.Endpoint.BootFiles || again.BootFile != first.BootFile {
		t.Errorf("found %+v, before %+v", again, first)
	}
}
