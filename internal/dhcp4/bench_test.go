package dhcp4

import (
	"testing"

	"github.com/tugboot/tugboot/internal/boot"
)

// wired are packets as machines send them, by what they get.
func wired() map[string][]byte {
	asked := opt(55, 1, 3, 6, 12, 15, 28, 43, 60, 66, 67)
	return map[string][]byte{
		"binary": from(join(pxe(TypeDiscover), asked, opt(57, 5, 0xc0))...).bytes(),
		"script": from(join(pxe(TypeDiscover), asked, optText(77, boot.UserClassTinkerbell))...).bytes(),
		"relay":  from(join(pxe(TypeRequest), asked, relayOption(subOption(1, 'p')))...).relayed("192.168.2.1").bytes(),
	}
}

// BenchmarkAnswer is the whole way from bytes to bytes.
func BenchmarkAnswer(b *testing.B) {
	lookup := only(testReservation())
	for name, packet := range wired() {
		b.Run(name, func(b *testing.B) {
			x := &Exchange{}
			b.ReportAllocs()
			for b.Loop() {
				if err := x.Read(packet); err != nil {
					b.Fatal(err)
				}
				if o := x.Answer(lookup, testSelf); o.Verdict == Silent {
					b.Fatal(o.Reason)
				}
			}
		})
	}
}

// The steps of that way: reading, judging, deciding what to boot, writing the reply.
func BenchmarkSteps(b *testing.B) {
	r, lookup := testReservation(), only(testReservation())
	for name, packet := range wired() {
		x := &Exchange{}
		if err := x.Read(packet); err != nil {
			b.Fatal(err)
		}
		q := x.Request
		o := Answer(&q, lookup, testSelf)
		for step, run := range map[string]func() bool{
			"read":   func() bool { return x.Read(packet) == nil },
			"judge":  func() bool { verdict, _ := Judge(&q, r, testSelf); return verdict != Silent },
			"decide": func() bool { return decide(q.Client(), r, testSelf, ModeReservation).Action == boot.Boot },
			"encode": func() bool { _, fits := build(&x.reply, &q, &o, testSelf.Servers); return fits },
		} {
			b.Run(name+"/"+step, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if !run() {
						b.Fatal("no answer")
					}
				}
			})
		}
	}
}

// TestAnswerTakesNoMemory: none from bytes to bytes, once the first packet was answered.
func TestAnswerTakesNoMemory(t *testing.T) {
	lookup := only(testReservation())
	for name, packet := range wired() {
		x := &Exchange{}
		allocations := testing.AllocsPerRun(100, func() {
			if err := x.Read(packet); err != nil {
				t.Fatal(err)
			}
			if o := x.Answer(lookup, testSelf); o.Verdict == Silent {
				t.Fatal(o.Reason)
			}
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations a packet, want 0", name, allocations)
		}
	}
}
