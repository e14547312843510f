package httpload

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/test/bench/account"
	"github.com/tugboot/tugboot/test/bench/fleet"
)

// Load is a number of clients that fetch one file over and over, each on a connection of its own.
type Load struct {
	// Server is host:port, Path what is asked for there.
	Server, Path string
	// Size and CRC (IEEE) are those of the file. One client reads it before the load and compares both; of what comes under
	// load the length is compared.
	Size int64
	CRC  uint32
	// Begins stands in the place of Size and CRC where every client has a file of its own: the beginning and the length of
	// the first client's, which the others' must have as well.
	Begins  string
	Clients int
	// OwnAddress has each client ask from the address of a machine.
	OwnAddress bool
	// Transfers is how many files each client fetches.
	Transfers int
	// Limit ends the load, which has failed then.
	Limit   time.Duration
	Account string
}

// Outcome is what came of a load.
type Outcome struct {
	Bytes           int64
	Took, CPU, Own  time.Duration
	Foreign         float64
	Done            int
	SlowestTransfer time.Duration
}

// MBPerSecond is how fast the clients were served, in 10^6 bytes.
func (o Outcome) MBPerSecond() float64 { return float64(o.Bytes) / 1e6 / max(o.Took.Seconds(), 1e-9) }

// PerSecond is how many transfers ended in a second.
func (o Outcome) PerSecond() float64 { return float64(o.Done) / max(o.Took.Seconds(), 1e-9) }

// CPUPerTransfer is the server's CPU time for one.
func (o Outcome) CPUPerTransfer() time.Duration { return o.CPU / time.Duration(max(o.Done, 1)) }

// CPUPerGB is the server's CPU time for 10^9 bytes.
func (o Outcome) CPUPerGB() time.Duration {
	if o.Bytes == 0 {
		return 0
	}
	return time.Duration(float64(o.CPU) / (float64(o.Bytes) / 1e9))
}

// Run puts the load on the server.
func Run(l Load) (o Outcome, err error) {
	if l.Size, err = l.compare(); err != nil {
		return o, err
	}
	meter, err := account.Start(l.Account)
	if err != nil {
		return o, err
	}
	end := time.Now().Add(l.Limit)
	var clients sync.WaitGroup
	var mu sync.Mutex
	var problems []error
	for client := range l.Clients {
		clients.Go(func() {
			err := l.client(client, end, func(took time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				o.Done++
				o.Bytes += l.Size
				o.SlowestTransfer = max(o.SlowestTransfer, took)
			})
			mu.Lock()
			defer mu.Unlock()
			problems = append(problems, err)
		})
	}
	clients.Wait()
	cost, err := meter.Stop()
	o.Took, o.CPU, o.Own, o.Foreign = cost.Took, cost.CPU, cost.Own, cost.Foreign
	return o, errors.Join(append(problems, err)...)
}

// dial connects a client whose transfers must end by then.
func (l Load) dial(client int, end time.Time) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	if l.OwnAddress {
		dialer.LocalAddr = &net.TCPAddr{IP: fleet.Machine(client).Address().AsSlice()}
	}
	connection, err := dialer.Dial("tcp4", l.Server)
	if err != nil {
		return nil, err
	}
	return connection, connection.SetDeadline(end)
}

// compare fetches the file once, reads all of it and returns its size.
func (l Load) compare() (int64, error) {
	connection, err := l.dial(0, time.Now().Add(l.Limit))
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	body, size, err := l.ask(connection)
	if err != nil {
		return 0, err
	}
	sum, begins := crc32.NewIEEE(), strings.HasPrefix(string(body), l.Begins)
	n, err := io.CopyN(sum, io.MultiReader(bytes.NewReader(body), connection), size)
	switch {
	case err != nil:
	case l.Begins != "" && begins:
		return size, nil
	case n == l.Size && sum.Sum32() == l.CRC && l.Begins == "":
		return size, nil
	}
	return 0, fmt.Errorf("%s%s: %d bytes with checksum %08x came (%w), not the %d bytes with %08x that the file has, nor %q",
		l.Server, l.Path, n, sum.Sum32(), err, l.Size, l.CRC, l.Begins)
}

func (l Load) client(client int, end time.Time, done func(time.Duration)) error {
	connection, err := l.dial(client, end)
	if err != nil {
		return err
	}
	defer connection.Close()
	for range l.Transfers {
		begun := time.Now()
		body, size, err := l.ask(connection)
		if err != nil {
			return err
		}
		if size != l.Size {
			return fmt.Errorf("%s%s: Content-Length %d, want %d", l.Server, l.Path, size, l.Size)
		}
		if err := discard(connection.(*net.TCPConn), size-int64(len(body))); err != nil {
			return fmt.Errorf("%s%s: %w", l.Server, l.Path, err)
		}
		done(time.Since(begun))
	}
	return nil
}

// ask sends a request and reads the answer's header. It returns what was read of the body, and how long that is in all.
func (l Load) ask(connection net.Conn) ([]byte, int64, error) {
	if _, err := fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", l.Path, l.Server); err != nil {
		return nil, 0, err
	}
	reader := bufio.NewReaderSize(connection, 4096)
	response, err := http.ReadResponse(reader, nil) //nolint:bodyclose // the body is read from the connection, past the response
	if err != nil {
		return nil, 0, fmt.Errorf("%s%s: %w", l.Server, l.Path, err)
	}
	if response.StatusCode != http.StatusOK || response.ContentLength < 0 {
		return nil, 0, fmt.Errorf("%s%s: %s, Content-Length %d", l.Server, l.Path, response.Status, response.ContentLength)
	}
	body, err := reader.Peek(reader.Buffered())
	return body, response.ContentLength, err
}

// atOnce is how many bytes are taken off a connection with one call.
const atOnce = 1 << 22

// discard takes n bytes off the connection without copying them.
func discard(connection *net.TCPConn, n int64) error {
	raw, err := connection.SyscallConn()
	if err != nil {
		return err
	}
	for n > 0 {
		var got int
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			got, failed = truncate(fd, int(min(n, atOnce)))
			return !errors.Is(failed, syscall.EAGAIN)
		})
		switch {
		case err != nil || failed != nil:
			return errors.Join(err, failed)
		case got == 0:
			return io.ErrUnexpectedEOF
		}
		n -= int64(got)
	}
	return nil
}

// truncate is recv with MSG_TRUNC: on a TCP socket the bytes are dropped in the kernel (tcp(7)).
func truncate(fd uintptr, n int) (int, error) {
	for {
		got, _, errno := unix.Syscall6(unix.SYS_RECVFROM, fd, 0, uintptr(n), unix.MSG_TRUNC|unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(got), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}
