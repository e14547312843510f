package tftpload

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Crowd is a number of clients on one thread.
type Crowd struct {
	// Ended is told of every transfer that has ended, with the error that ended it or nil.
	Ended func(id int, took time.Duration, err error)
	// Repeated is how often clients had to repeat themselves; Bytes is how much came, in order and as it should be.
	Repeated int
	Bytes    int64
	// Blksize and Windowsize are what the server granted to the client that ended last.
	Blksize, Windowsize int

	ask     Ask
	want    []byte
	epoll   int
	clients map[int32]*client
	events  [256]unix.EpollEvent
	buffer  [1 << 16]byte
	looked  time.Time
}

// NewCrowd returns a crowd without clients, whose transfers must bring want.
func NewCrowd(ask Ask, want []byte) (*Crowd, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &Crowd{ask: ask, want: want, epoll: epoll, clients: map[int32]*client{}}, nil
}

// Watch makes Poll return when a descriptor of somebody else's is readable.
func (c *Crowd) Watch(fd int) error {
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// Open is the number of transfers under way.
func (c *Crowd) Open() int { return len(c.clients) }

// Begin begins a transfer.
func (c *Crowd) Begin(id int, now time.Time) error {
	client, err := dial(id, &c.ask, c.want, now)
	if err != nil {
		return err
	}
	c.clients[int32(client.fd)] = client
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, client.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(client.fd)})
}

// lookEvery is how often clients look whether they have waited too long.
const lookEvery = 20 * time.Millisecond

// Poll takes what has arrived, waiting for it up to the limit.
func (c *Crowd) Poll(limit time.Duration) error {
	n, err := unix.EpollWait(c.epoll, c.events[:], int(limit.Milliseconds()))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("epoll: %w", err)
	}
	now := time.Now()
	for _, event := range c.events[:max(n, 0)] {
		client := c.clients[event.Fd]
		if client == nil {
			continue
		}
		if done, err := client.read(c.buffer[:], now); done || err != nil {
			if err := c.end(client, now, err); err != nil {
				return err
			}
		}
	}
	if now.Sub(c.looked) < lookEvery {
		return nil
	}
	c.looked = now
	for _, client := range c.clients {
		if failed := client.again(now); failed != nil {
			if err := c.end(client, now, failed); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Crowd) end(client *client, now time.Time, cause error) error {
	delete(c.clients, int32(client.fd))
	c.Repeated += client.repeated
	c.Blksize, c.Windowsize = client.blksize, client.window
	if cause == nil && client.offset != len(c.want) {
		cause = fmt.Errorf("%d bytes came, of %d", client.offset, len(c.want))
	}
	c.Bytes += int64(client.offset)
	if c.Ended != nil {
		c.Ended(client.id, now.Sub(client.begun), cause)
	}
	return unix.Close(client.fd)
}

// Close ends what is under way.
func (c *Crowd) Close() error {
	var problems []error
	for fd := range c.clients {
		problems = append(problems, unix.Close(int(fd)))
	}
	c.clients = nil
	return errors.Join(append(problems, unix.Close(c.epoll))...)
}
