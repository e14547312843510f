package dhcpd

// backlog holds the packets that were received and not answered yet, the oldest first, and those that hold nothing. It is
// bounded, and takes memory as it needs it. It is for one goroutine.
type backlog struct {
	bound   int
	ring    []*packet // of the size bound once something waited
	oldest  int
	waiting int
	spare   []*packet
}

// get returns a packet to fill. It may hold an earlier request.
func (b *backlog) get() *packet {
	last := len(b.spare) - 1
	if last < 0 {
		return new(packet)
	}
	p := b.spare[last]
	b.spare = b.spare[:last]
	return p
}

// put takes back a packet that nobody looks at any more.
func (b *backlog) put(p *packet) { b.spare = append(b.spare, p) }

// push adds a packet. Where there is no room it pushes out the oldest, and returns false: its sender asked longest ago and will
// ask again.
func (b *backlog) push(p *packet) bool {
	if b.ring == nil {
		b.ring = make([]*packet, b.bound)
	}
	if b.waiting == b.bound {
		b.put(b.pop())
		b.ring[(b.oldest+b.waiting)%b.bound] = p
		b.waiting++
		return false
	}
	b.ring[(b.oldest+b.waiting)%b.bound] = p
	b.waiting++
	return true
}

// pop returns the oldest packet; one must wait.
func (b *backlog) pop() *packet {
	p := b.ring[b.oldest]
	b.oldest = (b.oldest + 1) % b.bound
	b.waiting--
	return p
}
