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
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/test/bench/account"
)

// Load is a number of clients that fetch one file over and over, each on a connection of its own.
type Load struct {
	// Server is host:port, Path what is asked for there.
	Server, Path string
	// Size and CRC (IEEE) are those of the file. One client reads it before the load and compares both; of what comes under
	// load the length is compared.
	Size    int64
	CRC     uint32
	Clients int
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

// CPUPerGB is the server's CPU time for 10^9 bytes.
func (o Outcome) CPUPerGB() time.Duration {
	if o.Bytes == 0 {
		return 0
	}
	return time.Duration(float64(o.CPU) / (float64(o.Bytes) / 1e9))
}

// Run puts the load on the server.
func Run(l Load) (o Outcome, err error) {
	if err := l.compare(); err != nil {
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
	for range l.Clients {
		clients.Go(func() {
			err := l.client(end, func(took time.Duration) {
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

// compare fetches the file once and reads all of it.
func (l Load) compare() error {
	connection, err := net.DialTimeout("tcp4", l.Server, 5*time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(l.Limit)); err != nil {
		return err
	}
	body, size, err := l.ask(connection)
	if err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	n, err := io.CopyN(sum, io.MultiReader(bytes.NewReader(body), connection), size)
	if err != nil || n != l.Size || sum.Sum32() != l.CRC {
		return fmt.Errorf("%s%s: %d bytes with checksum %08x came (%w), not the %d bytes with %08x that the file has",
			l.Server, l.Path, n, sum.Sum32(), err, l.Size, l.CRC)
	}
	return nil
}

func (l Load) client(end time.Time, done func(time.Duration)) error {
	connection, err := net.DialTimeout("tcp4", l.Server, 5*time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(end); err != nil {
		return err
	}
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
