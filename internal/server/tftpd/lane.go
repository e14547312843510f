package tftpd

import (
	"errors"
	"net"
	"time"

	"github.com/tugboot/tugboot/internal/server/mmsg"
)

const (
	// maxRequest is the longest packet that is read whole, in bytes. RFC 2347 ends requests at 512.
	maxRequest = 2048
	// maxLanes bounds the number of goroutines that read from one socket.
	maxLanes = 8
	// laneBatch is how many packets one of them reads with one system call at most.
	laneBatch = 32
	// readPause is waited after the first failed read, and doubled after each further one up to maxReadPause.
	readPause    = 10 * time.Millisecond
	maxReadPause = time.Second
)

// lane reads from the listener's socket and handles what comes. The kernel gives each packet to one of the lanes.
func (l *listener) lane() {
	reader, buffers := mmsg.NewReader(l.sender.raw, laneBatch), make([][]byte, laneBatch)
	for i := range buffers {
		buffers[i] = make([]byte, maxRequest)
	}
	for pause := readPause; ; {
		n, err := reader.Read(buffers)
		switch {
		case errors.Is(err, net.ErrClosed), n == 0 && err == nil: // close has woken it
			return
		case err != nil:
			l.unreadable(err, pause)
			time.Sleep(pause)
			pause = min(2*pause, maxReadPause)
			continue
		}
		pause = readPause
		now := time.Now()
		for i := range n {
			d := reader.At(i)
			l.server.metrics.kernelDrops.Add(float64(l.drops.News(d.Drops)))
			l.handle(received{bytes: buffers[i][:d.Size], truncated: d.Truncated, client: d.From, local: d.Local, to: d.To, at: now})
		}
	}
}

func (l *listener) unreadable(err error, pause time.Duration) {
	if quiet, allowed := l.server.speech.Allow(); allowed {
		l.server.config.Log.Error(err, "TFTP: cannot receive; trying again", "address", l.addr.String(), "pause", pause.String(),
			"suppressedLines", quiet)
	}
}
