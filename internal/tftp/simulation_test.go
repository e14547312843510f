package tftp

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// fate is what the network does to one packet.
type fate byte

const (
	deliver fate = iota
	lose
	duplicate
	delay // it arrives after whatever is sent within the next 3 ms
)

// reader is a client that reads one file as RFC 7440 says: it acknowledges every full window and the last block.
type reader struct {
	blockSize, windowSize int
	nackEach              bool // like EDK2: an ACK for every packet out of order; else, like U-Boot, one per gap
	expected              int64
	unacked               int
	nacked                bool
	got                   []byte
	done, refused         bool
}

// receive returns the ACK it sends, nil for none.
func (r *reader) receive(b []byte) []byte {
	p, err := Parse(b)
	switch {
	case err != nil:
		panic(err)
	case p.Op == OpERROR:
		r.refused = true
		return nil
	case p.Op == OpOACK:
		return r.ack()
	case p.Block != uint16(r.expected):
		if r.nacked && !r.nackEach {
			return nil
		}
		r.nacked = true
		return r.ack()
	}
	if !r.done {
		r.got = append(r.got, p.Payload...)
	}
	r.done = len(p.Payload) < r.blockSize
	r.expected++
	r.nacked = false
	if r.unacked++; r.unacked < r.windowSize && !r.done {
		return nil
	}
	return r.ack()
}

func (r *reader) ack() []byte {
	r.unacked = 0
	return Packet{Op: OpACK, Block: uint16(r.expected - 1)}.AppendTo(nil)
}

// packet is one packet on its way.
type packet struct {
	at     time.Time
	serial int
	toHost bool // to the client
	bytes  []byte
}

// network carries packets between a transfer and a reader, in simulated time.
type network struct {
	now      time.Time
	fates    []fate // of the first packets; the rest is delivered
	flying   []packet
	serial   int
	sent     int // by the server
	sentSize int
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (n *network) put(toHost bool, b []byte) {
	f := deliver
	if n.serial < len(n.fates) {
		f = n.fates[n.serial]
	}
	n.serial++
	p := packet{at: n.now.Add(time.Millisecond), serial: n.serial, toHost: toHost, bytes: bytes.Clone(b)}
	switch f {
	case lose:
		return
	case delay:
		p.at = p.at.Add(3 * time.Millisecond)
	case duplicate:
		n.flying = append(n.flying, p)
	}
	n.flying = append(n.flying, p)
}

func (n *network) next() (packet, bool) {
	if len(n.flying) == 0 {
		return packet{}, false
	}
	first := 0
	for i, p := range n.flying {
		if c := p.at.Compare(n.flying[first].at); c < 0 || c == 0 && p.serial < n.flying[first].serial {
			first = i
		}
	}
	p := n.flying[first]
	n.flying = slices.Delete(n.flying, first, first+1)
	return p, true
}

func (n *network) send(s Step) {
	for _, d := range s.Send {
		n.sent++
		n.sentSize += d.Len()
		n.put(true, append(bytes.Clone(d.Head), d.Body...))
	}
}

// run plays the transfer to its end and returns its last step. A reader that was asked nothing for 700 ms repeats its
// last ACK, or its request.
func (n *network) run(t testing.TB, transfer *Transfer, step Step, r *reader) Step {
	const patience = 700 * time.Millisecond
	retry := n.now.Add(patience)
	for range 4_000_000 {
		n.send(step)
		if step.Over() {
			return step
		}
		p, flying := n.next()
		switch {
		case flying && !p.at.After(step.Deadline) && !p.at.After(retry):
			n.now = p.at
			deadline := step.Deadline
			step = n.carry(transfer, p, r)
			if step.Deadline.IsZero() && !step.Over() {
				step.Deadline = deadline
			}
			if p.toHost {
				retry = n.now.Add(patience)
			}
			continue
		case flying:
			n.flying = append(n.flying, p)
		}
		if !r.done && retry.Before(step.Deadline) {
			n.now, retry = retry, retry.Add(2*patience)
			if r.expected > 1 || transfer.Acknowledged() {
				n.put(false, r.ack())
			}
			step = Step{Deadline: step.Deadline}
			continue
		}
		n.now = step.Deadline
		step = transfer.Expire(n.now)
	}
	t.Fatalf("the transfer does not end: base %d of %d", transfer.base, transfer.last)
	return step
}

func (n *network) carry(transfer *Transfer, p packet, r *reader) Step {
	if p.toHost {
		if answer := r.receive(p.bytes); answer != nil {
			n.put(false, answer)
		}
		return Step{}
	}
	parsed, err := Parse(p.bytes)
	if err != nil {
		panic(err)
	}
	return transfer.Receive(parsed, n.now)
}

// file returns size bytes in which every block of a kibibyte differs.
func file(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8) ^ byte(i>>17)
	}
	return b
}

func rrq(options ...string) (Packet, []byte) {
	p := Packet{Op: OpRRQ, Name: "ipxe.efi", Mode: "octet"}
	for i := 0; i+1 < len(options); i += 2 {
		p.Options = append(p.Options, Option{options[i], options[i+1]})
	}
	return p, p.AppendTo(nil)
}

func open(t interface{ Fatal(...any) }, body []byte, options ...string) (*Transfer, Step) {
	request, raw := rrq(options...)
	transfer, step, err := Open(raw, request, Offer{Body: body, Timing: DefaultTiming()}, epoch)
	if err != nil {
		t.Fatal(err)
	}
	return transfer, step
}

func TestAnyNetworkYieldsTheFileOrACleanEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		blockSize := rapid.SampledFrom([]int{8, 9, 512}).Draw(rt, "blksize")
		windowSize := rapid.IntRange(1, 9).Draw(rt, "windowsize")
		body := file(rapid.IntRange(0, 40*blockSize).Draw(rt, "size"))
		fates := rapid.SliceOfN(rapid.SampledFrom([]fate{deliver, deliver, lose, duplicate, delay}), 0, 300).Draw(rt, "fates")
		r := &reader{blockSize: blockSize, windowSize: windowSize, expected: 1, nackEach: rapid.Bool().Draw(rt, "nackEach")}
		transfer, step := open(rt, body, "blksize", fmt.Sprint(blockSize), "windowsize", fmt.Sprint(windowSize))
		n := &network{now: epoch, fates: fates}
		end := n.run(t, transfer, step, r)

		switch end.Reason {
		case ReasonServed:
			if !r.done || !bytes.Equal(r.got, body) {
				rt.Fatalf("served %d bytes, the reader has %d (done: %v)", len(body), len(r.got), r.done)
			}
		case ReasonNoAck, ReasonTimedOut, ReasonUnconfirmed:
		default:
			rt.Fatalf("ended with %q", end.Reason)
		}
		blocks := len(body)/blockSize + 1
		// Every progress allows one window, one repetition of it, and the retries.
		if most := 2 + (2+DefaultTiming().Retries)*windowSize*(blocks+1); n.sent > most {
			rt.Fatalf("%d packets sent for %d blocks", n.sent, blocks)
		}
		if !bytes.HasPrefix(body, r.got) {
			rt.Fatal("the reader has bytes that are not the file's")
		}
	})
}

func TestAFewLossesNeverFailATransfer(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		windowSize := rapid.SampledFrom([]int{1, 2, 4, 16, 64}).Draw(rt, "windowsize")
		body := file(rapid.IntRange(0, 200*512).Draw(rt, "size"))
		fates := rapid.SliceOfN(rapid.SampledFrom([]fate{deliver, deliver, deliver, duplicate, delay}), 0, 300).Draw(rt, "fates")
		if len(fates) > 0 {
			fates[rapid.IntRange(0, len(fates)-1).Draw(rt, "lost")] = lose
		}
		r := &reader{blockSize: 512, windowSize: windowSize, expected: 1, nackEach: rapid.Bool().Draw(rt, "nackEach")}
		transfer, step := open(rt, body, "windowsize", fmt.Sprint(windowSize))
		n := &network{now: epoch, fates: fates}
		end := n.run(t, transfer, step, r)
		lostLastACK := end.Reason == ReasonUnconfirmed && r.done // nobody repeats it: a reader is free to go
		if end.Reason != ReasonServed && !lostLastACK || !bytes.Equal(r.got, body) {
			rt.Fatalf("%s with %d of %d bytes", end.Reason, len(r.got), len(body))
		}
	})
}

func TestBlockNumberWraps(t *testing.T) {
	for _, windowSize := range []int{1, 4, 64} {
		for _, lost := range []int{-1, 65535, 65536, 65537, 65540} {
			t.Run(fmt.Sprintf("windowsize %d, packet %d lost", windowSize, lost), func(t *testing.T) {
				body := file(8*(65536*2+77) + 3)
				fates := make([]fate, 70_000)
				if lost > 0 {
					fates[lost] = lose
				}
				r := &reader{blockSize: 8, windowSize: windowSize, expected: 1, nackEach: true}
				transfer, step := open(t, body, "blksize", "8", "windowsize", fmt.Sprint(windowSize))
				n := &network{now: epoch, fates: fates}
				end := n.run(t, transfer, step, r)
				if end.Reason != ReasonServed || !bytes.Equal(r.got, body) {
					t.Fatalf("%s with %d of %d bytes", end.Reason, len(r.got), len(body))
				}
				if blocks := len(body)/8 + 1; n.sent > blocks+1+2*windowSize {
					t.Errorf("%d packets sent for %d blocks", n.sent, blocks)
				}
			})
		}
	}
}

func TestOneDuplicatedACKDoesNotDoubleTheRest(t *testing.T) {
	for _, windowSize := range []int{1, 4, 16} {
		for _, nackEach := range []bool{true, false} {
			t.Run(fmt.Sprintf("windowsize %d, nackEach %v", windowSize, nackEach), func(t *testing.T) {
				body := file(512 * 400)
				fates := make([]fate, 40)
				for i := range fates {
					if i > 20 {
						fates[i] = duplicate // every packet of both sides, for a while
					}
				}
				r := &reader{blockSize: 512, windowSize: windowSize, expected: 1, nackEach: nackEach}
				transfer, step := open(t, body, "windowsize", fmt.Sprint(windowSize))
				n := &network{now: epoch, fates: fates}
				end := n.run(t, transfer, step, r)
				if end.Reason != ReasonServed || !bytes.Equal(r.got, body) {
					t.Fatalf("%s with %d of %d bytes", end.Reason, len(r.got), len(body))
				}
				if most := 402 + 12*(windowSize-1); n.sent > most {
					t.Errorf("%d packets sent for 401 blocks, at most %d are right", n.sent, most)
				}
			})
		}
	}
}

func TestSilentClientIsSentTheFirstPacketTwice(t *testing.T) {
	for name, options := range map[string][]string{
		"block 1":             nil,
		"OACK":                {"tsize", "0"},
		"OACK, large windows": {"blksize", "65464", "windowsize", "64", "timeout", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			transfer, step := open(t, file(10<<20), options...)
			n := &network{now: epoch, fates: slices.Repeat([]fate{lose}, 100)}
			end := n.run(t, transfer, step, &reader{blockSize: 512, windowSize: 1, expected: 1})
			if end.Reason != ReasonNoAck || n.sent != 2 {
				t.Errorf("%s after %d packets, want %s after 2", end.Reason, n.sent, ReasonNoAck)
			}
			if n.sentSize > 2*(DefaultBlockSize+headerSize) {
				t.Errorf("%d bytes sent to a client that never answered", n.sentSize)
			}
			if got := n.now.Sub(epoch); got != 11*time.Second {
				t.Errorf("gave up after %v", got)
			}
		})
	}
}
