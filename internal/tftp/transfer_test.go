package tftp

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/boot"
)

func itoa(n int) string { return strconv.Itoa(n) }

func ack(block uint16) Packet { return Packet{Op: OpACK, Block: block} }

// blocks returns the block numbers of the DATA packets that a step sends.
func blocks(s Step) []uint16 {
	var numbers []uint16
	for _, d := range s.Send {
		p, err := Parse(append(bytes.Clone(d.Head), d.Body...))
		if err != nil || p.Op != OpDATA {
			panic(fmt.Sprint(p, err))
		}
		numbers = append(numbers, p.Block)
	}
	return numbers
}

func at(d time.Duration) time.Time { return epoch.Add(d) }

func TestEveryFileEndsInAShortBlock(t *testing.T) {
	for _, size := range []int{0, 1, 511, 512, 513, 1024, 1025} {
		transfer, step := open(t, file(size))
		var sizes []int
		for block := uint16(1); !step.Over(); block++ {
			if got := blocks(step); !cmp.Equal(got, []uint16{block}) {
				t.Fatalf("%d bytes: sent %v, want block %d", size, got, block)
			}
			sizes = append(sizes, len(step.Send[0].Body))
			step = transfer.Receive(ack(block), epoch)
		}
		if len(sizes) != size/512+1 || sizes[len(sizes)-1] != size%512 {
			t.Errorf("%d bytes went in blocks of %v", size, sizes)
		}
		if step.Reason != ReasonServed || transfer.Bytes() != int64(size) {
			t.Errorf("%d bytes: %s, %d bytes acknowledged", size, step.Reason, transfer.Bytes())
		}
	}
}

func TestBlocksShareTheFile(t *testing.T) {
	body := file(2000)
	_, step := open(t, body)
	if &step.Send[0].Body[0] != &body[0] {
		t.Error("block 1 is a copy")
	}
}

// TestWindow plays ACKs that arrive 10 ms after each other to a window of 4, in a file of 20 blocks.
func TestWindow(t *testing.T) {
	type turn struct {
		ack     uint16
		want    []uint16
		ignored boot.Reason
	}
	for name, turns := range map[string][]turn{
		"no loss": {{0, []uint16{1, 2, 3, 4}, ""}, {4, []uint16{5, 6, 7, 8}, ""}, {8, []uint16{9, 10, 11, 12}, ""}},
		"block 6 lost, every later one reported": {
			{0, []uint16{1, 2, 3, 4}, ""}, {4, []uint16{5, 6, 7, 8}, ""},
			{5, []uint16{6, 7, 8, 9}, ""}, {5, nil, ReasonDuplicateACK}, {9, []uint16{10, 11, 12, 13}, ""}},
		"block 5, the first of its window, lost": {
			{0, []uint16{1, 2, 3, 4}, ""}, {4, []uint16{5, 6, 7, 8}, ""},
			{4, []uint16{5, 6, 7, 8}, ""}, {4, nil, ReasonDuplicateACK}, {8, []uint16{9, 10, 11, 12}, ""}},
		"an old and a future ACK": {
			{0, []uint16{1, 2, 3, 4}, ""}, {4, []uint16{5, 6, 7, 8}, ""},
			{3, nil, ReasonStrayACK}, {9, nil, ReasonStrayACK}, {65535, nil, ReasonStrayACK}, {8, []uint16{9, 10, 11, 12}, ""}},
		"an ACK of something before the options are acknowledged": {{1, nil, ReasonStrayACK}, {0, []uint16{1, 2, 3, 4}, ""}},
		"the last window is short": {
			{0, []uint16{1, 2, 3, 4}, ""}, {4, []uint16{5, 6, 7, 8}, ""}, {8, []uint16{9, 10, 11, 12}, ""},
			{12, []uint16{13, 14, 15, 16}, ""}, {15, []uint16{16, 17, 18, 19}, ""}, {19, []uint16{20}, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			transfer, _ := open(t, file(19*512+1), "windowsize", "4")
			for i, turn := range turns {
				step := transfer.Receive(ack(turn.ack), at(time.Duration(i+1)*10*time.Millisecond))
				if diff := cmp.Diff(turn.want, blocks(step)); diff != "" || step.Ignored != turn.ignored {
					t.Fatalf("ACK %d (turn %d): ignored %q, want %q; blocks (-want +got):\n%s", turn.ack, i, step.Ignored, turn.ignored, diff)
				}
			}
		})
	}
}

func TestDuplicateACKsBringAWindowAgainOnlyOnce(t *testing.T) {
	transfer, _ := open(t, file(19*512+1), "windowsize", "4")
	transfer.Receive(ack(0), at(time.Millisecond))
	transfer.Receive(ack(4), at(2*time.Millisecond))
	if got := blocks(transfer.Receive(ack(4), at(4*time.Millisecond))); !cmp.Equal(got, []uint16{5, 6, 7, 8}) {
		t.Errorf("the first duplicate brought %v", got)
	}
	for ms := 50; ms < 250; ms += 50 { // long after any echo, and before the deadline
		if step := transfer.Receive(ack(4), at(time.Duration(ms)*time.Millisecond)); len(step.Send) != 0 {
			t.Errorf("a duplicate after %d ms brought %v", ms, blocks(step))
		}
	}
}

func TestRoundTripIsNotMeasuredOnBlocksSentTwice(t *testing.T) {
	var r roundTrip
	r.sent(at(0), 1, 0, 4)
	r.acknowledged(at(10*time.Millisecond), 4)
	if r.smoothed != 10*time.Millisecond {
		t.Fatalf("measured %v", r.smoothed)
	}
	r.sent(at(time.Second), 5, 4, 8)
	r.sent(at(2*time.Second), 5, 8, 8)
	r.acknowledged(at(3*time.Second), 8)
	if r.smoothed != 10*time.Millisecond {
		t.Errorf("measured %v on a window sent twice", r.smoothed)
	}
	if !r.echoes(at(2*time.Second+14*time.Millisecond)) || r.echoes(at(2*time.Second+15*time.Millisecond)) {
		t.Error("echoes are awaited for one and a half round trips")
	}
}

func TestAClientThatAcknowledgesEachBlockOfAWindowIsNotFlooded(t *testing.T) {
	transfer, _ := open(t, file(200*512), "windowsize", "16")
	step := transfer.Receive(ack(0), at(20*time.Millisecond))
	sent := len(step.Send)
	for block := uint16(1); !step.Over(); block++ {
		// The ACKs come at the pace of the blocks: twenty in one round trip.
		step = transfer.Receive(ack(block), at(20*time.Millisecond+time.Duration(block)*time.Millisecond))
		sent += len(step.Send)
	}
	if step.Reason != ReasonServed || sent > 2*201 {
		t.Errorf("%s after %d packets for 201 blocks", step.Reason, sent)
	}
}

func TestLockStepIgnoresDuplicateACKs(t *testing.T) {
	transfer, _ := open(t, file(2000))
	if got := blocks(transfer.Receive(ack(1), at(time.Second/2))); !cmp.Equal(got, []uint16{2}) {
		t.Fatalf("ACK 1 brought %v", got)
	}
	for i := range 5 {
		step := transfer.Receive(ack(1), at(time.Second/2+time.Duration(i)*100*time.Millisecond))
		if len(step.Send) != 0 || step.Ignored != ReasonDuplicateACK || step.Over() {
			t.Errorf("a duplicate ACK brought %+v", step)
		}
		if want := at(time.Second/2 + time.Second); !step.Deadline.Equal(want) {
			t.Errorf("a duplicate ACK moved the deadline to %v", step.Deadline.Sub(epoch))
		}
	}
}

// expiries lets every deadline pass and returns when it did, what was sent, and how it ended.
func expiries(transfer *Transfer, step Step) (when []time.Duration, sent [][]byte, why boot.Reason) {
	for !step.Over() {
		now := step.Deadline
		if early := transfer.Expire(now.Add(-time.Nanosecond)); len(early.Send) != 0 || !early.Deadline.Equal(now) {
			panic("something happened before the deadline")
		}
		step = transfer.Expire(now)
		when = append(when, now.Sub(epoch))
		for _, d := range step.Send {
			sent = append(sent, append(bytes.Clone(d.Head), d.Body...))
		}
	}
	return when, sent, step.Reason
}

func seconds(numbers ...float64) []time.Duration {
	var d []time.Duration
	for _, n := range numbers {
		d = append(d, time.Duration(n*float64(time.Second)))
	}
	return d
}

func TestRetransmissionsBackOffAndEnd(t *testing.T) {
	for name, test := range map[string]struct {
		options []string
		size    int
		first   uint16
		when    []time.Duration
		why     boot.Reason
	}{
		"in the middle":           {nil, 2000, 1, seconds(0.25, 0.75, 1.75, 3.75, 7.75, 15.75, 23.75, 31.75), ReasonTimedOut},
		"at the last block":       {nil, 600, 1, seconds(0.25, 0.75, 1.75, 3.75, 7.75, 15.75, 23.75, 31.75), ReasonUnconfirmed},
		"with an agreed timeout":  {[]string{"timeout", "3"}, 2000, 0, seconds(3, 6, 9, 12, 15, 18, 21, 24), ReasonTimedOut},
		"within the first window": {[]string{"windowsize", "2"}, 2000, 0, seconds(0.25, 0.75, 1.75, 3.75, 7.75, 15.75, 23.75, 31.75), ReasonTimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			transfer, _ := open(t, file(test.size), test.options...)
			step := transfer.Receive(ack(test.first), epoch)
			var original [][]byte
			for _, d := range step.Send {
				original = append(original, append(bytes.Clone(d.Head), d.Body...))
			}
			when, sent, why := expiries(transfer, step)
			if diff := cmp.Diff(test.when, when); diff != "" || why != test.why {
				t.Errorf("%s, want %s; deadlines (-want +got):\n%s", why, test.why, diff)
			}
			if len(sent) != DefaultTiming().Retries*len(original) {
				t.Fatalf("%d packets sent again", len(sent))
			}
			for i, b := range sent {
				if !bytes.Equal(b, original[i%len(original)]) {
					t.Errorf("retransmission %d differs from what was sent first", i)
				}
			}
		})
	}
}

func TestFirstPacketSentAgainCountsAsRetransmission(t *testing.T) {
	for name, options := range map[string][]string{"OACK": {"tsize", "0"}, "DATA": nil} {
		transfer, step := open(t, file(2000), options...)
		again := transfer.Expire(step.Deadline)
		if step.Retransmits != 0 || len(again.Send) != 1 || again.Retransmits != 1 {
			t.Errorf("%s: %d retransmissions, then %d in %d packets", name, step.Retransmits, again.Retransmits, len(again.Send))
		}
	}
}

func TestASlowClientIsGivenTwoRoundTrips(t *testing.T) {
	transfer, _ := open(t, file(2000))
	step := transfer.Receive(ack(1), at(600*time.Millisecond))
	if got := step.Deadline.Sub(at(600 * time.Millisecond)); got != 1200*time.Millisecond {
		t.Errorf("waits %v", got)
	}
}

func TestTimeoutCountsOnlyOnceItIsAgreedOn(t *testing.T) {
	transfer, step := open(t, file(2000), "timeout", "255")
	when, sent, why := expiries(transfer, step)
	if diff := cmp.Diff(seconds(1, 11), when); diff != "" || why != ReasonNoAck || len(sent) != 1 {
		t.Errorf("%s after %d retransmissions, deadlines (-want +got):\n%s", why, len(sent), diff)
	}
}

func TestErrorsOfTheClient(t *testing.T) {
	abort := Packet{Op: OpERROR, Code: 8, Message: "User aborted the transfer"}
	other := Packet{Op: OpERROR, Code: 0, Message: "TFTP Aborted"}
	for name, test := range map[string]struct {
		options []string
		packets []Packet
		want    boot.Reason
		detail  string
	}{
		"EDK2's probe":        {[]string{"tsize", "0"}, []Packet{abort}, ReasonProbed, "ERROR 8 User aborted the transfer"},
		"a PXE ROM's probe":   {[]string{"tsize", "0"}, []Packet{other}, ReasonProbed, "ERROR 0 TFTP Aborted"},
		"after the options":   {[]string{"tsize", "0"}, []Packet{ack(0), abort}, ReasonClientAborted, "ERROR 8 User aborted the transfer"},
		"with no options":     {nil, []Packet{other}, ReasonClientAborted, "ERROR 0 TFTP Aborted"},
		"in the middle of it": {nil, []Packet{ack(1), other}, ReasonClientAborted, "ERROR 0 TFTP Aborted"},
	} {
		transfer, _ := open(t, file(2000), test.options...)
		var step Step
		for _, p := range test.packets {
			step = transfer.Receive(p, epoch)
		}
		if step.Reason != test.want || len(step.Send) != 0 || transfer.Detail() != test.detail {
			t.Errorf("%s: %+v, detail %q", name, step, transfer.Detail())
		}
		if after := transfer.Receive(ack(1), epoch); after.Ignored != ReasonOver || len(after.Send) != 0 {
			t.Errorf("%s: after the end: %+v", name, after)
		}
		if after := transfer.Expire(at(time.Hour)); len(after.Send) != 0 || after.Reason != test.want {
			t.Errorf("%s: a deadline after the end: %+v", name, after)
		}
	}
}

func TestPacketsThatNoReaderSends(t *testing.T) {
	transfer, _ := open(t, file(2000))
	for _, p := range []Packet{{Op: OpDATA, Block: 1}, {Op: OpOACK}} {
		if step := transfer.Receive(p, epoch); step.Ignored != ReasonUnexpectedPacket || len(step.Send) != 0 || step.Over() {
			t.Errorf("opcode %d brought %+v", p.Op, step)
		}
	}
}

func TestRepeatedRequests(t *testing.T) {
	_, raw := rrq()
	_, other := rrq("tsize", "0")
	t.Run("not answered yet", func(t *testing.T) {
		transfer, _ := open(t, file(2000))
		if step, anew := transfer.Again(raw, at(200*time.Millisecond)); anew || len(step.Send) != 1 || step.Retransmits != 1 {
			t.Errorf("the first repetition brought %+v, %v", step, anew)
		}
		if step, anew := transfer.Again(raw, at(400*time.Millisecond)); anew || len(step.Send) != 0 || step.Ignored != ReasonDuplicateRequest {
			t.Errorf("the second repetition brought %+v, %v", step, anew)
		}
		if _, anew := transfer.Again(raw, at(4*time.Second)); !anew {
			t.Error("a client that asks again after four seconds is ignored")
		}
	})
	t.Run("delivered twice by the network", func(t *testing.T) {
		transfer, _ := open(t, file(2000))
		transfer.Receive(ack(1), at(time.Millisecond))
		if step, anew := transfer.Again(raw, at(2*time.Millisecond)); anew || len(step.Send) != 0 {
			t.Errorf("brought %+v, %v", step, anew)
		}
	})
	t.Run("the machine was reset", func(t *testing.T) {
		transfer, _ := open(t, file(2000))
		step := transfer.Receive(ack(1), at(time.Millisecond))
		transfer.Expire(step.Deadline)
		if _, anew := transfer.Again(raw, step.Deadline.Add(time.Second)); !anew {
			t.Error("ignored")
		}
	})
	t.Run("something else", func(t *testing.T) {
		transfer, _ := open(t, file(2000))
		if _, anew := transfer.Again(other, at(time.Millisecond)); !anew {
			t.Error("ignored")
		}
	})
}

func FuzzTransfer(f *testing.F) {
	for _, e := range firmware(f, "edk2-x64.hex") {
		f.Add(e.payload, []byte("\x00\x04\x00\x00"), []byte("\x00\x04\x00\x04"), 5000)
		f.Add([]byte("\x00\x01a\x00octet\x00"), e.payload, []byte("\x00\x04\x00\x01"), 512)
	}
	f.Add([]byte("\x00\x01a\x00netascii\x00blksize\x008\x00windowsize\x0064\x00"), []byte("\x00\x04\x00\x00"), []byte("\x00\x04\x00\x02"), 70)
	f.Add([]byte("\x00\x01a\x00octet\x00windowsize\x003\x00"), []byte("\x00\x04\x00\x00"), []byte("\x00\x04\x00\x00"), 5000)
	f.Fuzz(func(t *testing.T, request, one, two []byte, size int) {
		body := file(max(0, size%100_000))
		p, err := Parse(request)
		if err != nil {
			return
		}
		transfer, step, err := Open(request, p, Offer{Body: body, Timing: DefaultTiming()}, epoch)
		var fault *Fault
		if err != nil && (!errors.As(err, &fault) || fault.Reason == "") {
			t.Fatalf("refused without a reason: %v", err)
		}
		if err != nil {
			return
		}
		now := epoch
		for _, b := range [][]byte{one, two} {
			checkStep(t, transfer, step)
			now = now.Add(time.Second / 2)
			if p, err := Parse(b); err == nil {
				step = transfer.Receive(p, now)
			}
		}
		checkStep(t, transfer, step)
		for i := 0; !step.Over(); i++ {
			if i > 2+DefaultTiming().Retries {
				t.Fatal("a silent client is never given up")
			}
			step = transfer.Expire(step.Deadline)
			checkStep(t, transfer, step)
		}
	})
}

func checkStep(t *testing.T, transfer *Transfer, s Step) {
	t.Helper()
	terms := transfer.Terms()
	if len(s.Send) > terms.WindowSize || s.Retransmits > len(s.Send) {
		t.Fatalf("%d packets, %d of them again, in a window of %d", len(s.Send), s.Retransmits, terms.WindowSize)
	}
	if !transfer.Acknowledged() && len(s.Send) > 1 {
		t.Fatalf("%d packets for a client that has not answered", len(s.Send))
	}
	for _, d := range s.Send {
		if len(d.Body) > terms.BlockSize {
			t.Fatalf("a block of %d bytes, agreed were %d", len(d.Body), terms.BlockSize)
		}
	}
	if s.Over() == !s.Deadline.IsZero() {
		t.Fatalf("a step must either end the transfer or name a deadline: %+v", s)
	}
}
