package interop

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

// relayOptions say what a bad network does to packets.
type relayOptions struct {
	// loss is the part of the packets that is lost in each direction, 0 to 1; seed makes it the same ones every time.
	loss float64
	seed uint64
	// delay is how long each packet takes more.
	delay time.Duration
}

// udpRelay passes UDP packets between clients on the host, which send to 127.0.0.1 at the relay's port, and a server, as a
// bad network would. It ends with the test.
func (s *site) udpRelay(h *lab.Host, server string, o relayOptions) *udpRelay {
	s.t.Helper()
	r := &udpRelay{host: h, server: server, options: o, chance: rand.New(rand.NewPCG(o.seed, o.seed)), servers: map[string]net.Conn{}}
	err := h.Do(func() (err error) {
		r.clients, err = net.ListenPacket("udp4", "127.0.0.1:0")
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	r.running.Go(r.fromClients)
	s.t.Cleanup(r.close)
	return r
}

type udpRelay struct {
	host    *lab.Host
	server  string
	options relayOptions
	clients net.PacketConn
	running sync.WaitGroup

	mu      sync.Mutex
	chance  *rand.Rand
	servers map[string]net.Conn // by the client's address
	dropped int
}

func (r *udpRelay) port() string { return strconv.Itoa(r.clients.LocalAddr().(*net.UDPAddr).Port) }

// lost is the number of packets that were lost so far.
func (r *udpRelay) lost() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}

// arrives waits the delay, and reports whether the next packet is not one of those that are lost.
func (r *udpRelay) arrives() bool {
	time.Sleep(r.options.delay)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.chance.Float64() < r.options.loss {
		r.dropped++
		return false
	}
	return true
}

func (r *udpRelay) fromClients() {
	packet := make([]byte, 65536)
	for {
		n, client, err := r.clients.ReadFrom(packet)
		if err != nil {
			return // closed
		}
		server, err := r.serverOf(client)
		if err == nil && r.arrives() {
			_, _ = server.Write(packet[:n]) // what cannot be sent is lost, too
		}
	}
}

// serverOf returns the connection to the server of a client's own.
func (r *udpRelay) serverOf(client net.Addr) (server net.Conn, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.servers[client.String()]; ok {
		return known, nil
	}
	err = r.host.Do(func() (err error) {
		server, err = net.Dial("udp4", r.server)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.servers[client.String()] = server
	r.running.Go(func() {
		packet := make([]byte, 65536)
		for {
			n, err := server.Read(packet)
			if err != nil {
				return
			}
			if r.arrives() {
				_, _ = r.clients.WriteTo(packet[:n], client)
			}
		}
	})
	return server, nil
}

func (r *udpRelay) close() {
	r.clients.Close()
	r.mu.Lock()
	for _, server := range r.servers {
		server.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
}
