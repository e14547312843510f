package tftp

import (
	"fmt"
	"testing"
)

// BenchmarkWindow is an ACK that lets the next window go: the state machine's part of it, without the socket's.
func BenchmarkWindow(b *testing.B) {
	for _, window := range []int{1, 4, 16} {
		b.Run(fmt.Sprint(window), func(b *testing.B) {
			body := file(1 << 20)
			var transfer *Transfer
			var step Step
			block := 0
			b.ReportAllocs()
			for b.Loop() {
				if transfer == nil || block+window > len(body)/1456 {
					b.StopTimer()
					transfer, _ = open(b, body, "blksize", "1456", "windowsize", fmt.Sprint(window))
					step = transfer.Receive(Packet{Op: OpACK}, epoch)
					block = 0
					b.StartTimer()
				}
				if len(step.Send) != window {
					b.Fatalf("%d blocks are sent (%+v)", len(step.Send), step.Reason)
				}
				block += window
				step = transfer.Receive(Packet{Op: OpACK, Block: uint16(block)}, epoch)
			}
		})
	}
}
