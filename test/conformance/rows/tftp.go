package rows

import (
	"bytes"
	"net/netip"
	"strconv"
	"time"
)

// tftpRequestRows are about requests (RFC 1350 sections 4 and 5, RFC 1123 section 4.2).
func tftpRequestRows() []Row {
	mode := func(mode string, judge func(p packet) Verdict) func(*Client) Verdict {
		return reading(func(c *Client, r *reader) Verdict {
			p, ok := r.first(words(opRRQ, c.TFTPFile, mode))
			if !ok {
				return unanswered("no answer")
			}
			r.abort(0)
			return judge(p)
		})
	}
	begins := func(p packet) Verdict { return judged(p.op == opDATA && p.block == 1, "%v", p) }
	refuses := func(p packet) Verdict { return judged(p.op == opERROR, "%v", p) }
	return []Row{
		{"1350-4-octet", "RFC 1350 4", Must, "A read request in octet mode is answered with DATA 1 of 512 bytes.", mode("octet", func(p packet) Verdict {
			return judged(p.op == opDATA && p.block == 1 && len(p.body) == 512, "%v", p)
		})},
		{"1350-5-mode-case", "RFC 1350 5", Must, "The mode may be in capitals and small letters.", mode("OcTeT", begins)},
		{"1350-1-netascii", "RFC 1123 4.2.2.1", Must, "Netascii mode is served, with CR LF for a line's end.", netascii},
		{"1123-4.2.2.1-mail", "RFC 1123 4.2.2.1", Should, "Mail mode is not served.", mode("mail", refuses)},
		{"1350-5-mode-unknown", "RFC 1350 5", Must, "A mode that nobody defined is refused with an ERROR.", mode("conformance", refuses)},
		{"1350-4-tid", "RFC 1350 4", Should, "The server answers from a port that it chose for this transfer, not from 69.", mode("octet", func(p packet) Verdict {
			return judged(p.from.Port() != tftpPort, "from port %d", p.from.Port())
		})},
		{"1350-4-source", "RFC 1350 4", Must, "It answers from the address that was asked.", mode("octet", func(p packet) Verdict { return passed("from %s", p.from.Addr()) })},
		{"1123-4.2.3.5-broadcast", "RFC 1123 4.2.3.5", Should, "A request to a broadcast address has no answer.", broadcastRequest},
		{"1123-4.2.3.4-climb", "RFC 1123 4.2.3.4", Should, "A name that climbs out of the served folder is refused with an ERROR.", reading(func(_ *Client, r *reader) Verdict {
			p, ok := r.request("../../../../../../etc/passwd")
			if !ok {
				return unanswered("no answer")
			}
			return judged(p.op == opERROR, "%v", p)
		})},
		{"1350-5-write", "RFC 1350 5", Must, "A write request, which nobody may make, is refused with an ERROR.", refusedWrite},
	}
}

// netascii judges the first block of a netascii transfer by the file's content.
func netascii(c *Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		want := bytes.ReplaceAll(bytes.ReplaceAll(c.whole(), []byte("\r"), []byte("\r\x00")), []byte("\n"), []byte("\r\n"))
		p, ok := r.first(words(opRRQ, c.TFTPFile, "netascii"))
		if !ok {
			return unanswered("no answer")
		}
		r.abort(0)
		same := 0
		for same < min(len(p.body), len(want)) && p.body[same] == want[same] {
			same++
		}
		return judged(p.op == opDATA && len(p.body) == 512 && same == 512, "%v, of which %d are as they should be", p, same)
	})(c)
}

// refusedWrite names a file that is not there: where writing is allowed, it must do no harm.
func refusedWrite(c *Client) Verdict {
	return reading(func(_ *Client, r *reader) Verdict {
		p, ok := r.first(words(opWRQ, "conformance-may-be-deleted", "octet"))
		if !ok {
			return unanswered("no answer")
		}
		if p.op != opERROR {
			r.abort(0)
		}
		return judged(p.op == opERROR, "%v", p)
	})(c)
}

func broadcastRequest(c *Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		raw, err := r.conn.SyscallConn()
		if err != nil {
			return failed("%v", err)
		}
		if err := allowBroadcast(raw); err != nil {
			return failed("%v", err)
		}
		r.sendTo(netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), tftpPort), words(opRRQ, c.TFTPFile, "octet"))
		p, ok := r.next(lap)
		if !ok {
			return passed("no answer")
		}
		r.peer = p.from
		r.abort(0)
		return failed("%v", p)
	})(c)
}

// tftpDataRows are about DATA and ACK (RFC 1350 sections 2 and 6, RFC 1123 section 4.2.3).
func tftpDataRows() []Row {
	return []Row{
		{"1350-6-short", "RFC 1350 6", Must, "Every block but the last is full, the last one is not, and together they are the file.", func(c *Client) Verdict {
			return reading(func(c *Client, r *reader) Verdict {
				blocks, last := 0, 0
				whole, _ := r.download(c, func(p packet) { blocks, last = blocks+1, len(p.body) })
				return judged(bytes.Equal(whole, c.whole()) && last == len(whole)%512, "%d blocks, the last of %d bytes, %d in all", blocks, last, len(whole))
			})(c)
		}},
		{"1350-6-exact", "RFC 1350 6", Must, "A file of whole blocks ends with one of 0 bytes.", exactBlocks},
		{"2348-wrap", "common practice (RFC 1350 5 is silent)", Should, "A file of more than 65535 blocks is served, with block numbers that go on at 0.", wrapped},
		{"1350-2-retransmit", "RFC 1350 2", Must, "A block that is not acknowledged is sent again.", reading(func(c *Client, r *reader) Verdict {
			if p, ok := r.request(c.TFTPFile); !ok || p.op != opDATA {
				return unanswered("no DATA")
			}
			r.ack(1)
			r.want(2, 1)
			asked := time.Now()
			p, ok := r.next(6 * lap)
			r.abort(0)
			if !ok {
				return failed("nothing within %v", 6*lap)
			}
			return judged(p.op == opDATA && p.block == 2, "%v after %.1f s", p, time.Since(asked).Seconds())
		})},
		{"1123-4.2.3.1-sorcerer", "RFC 1123 4.2.3.1", Must, "An ACK that comes twice brings the next block once.", sorcerer},
		{"1123-4.2.3.2-backoff", "RFC 1123 4.2.3.2", Must, "The wait before a block is sent again grows.", backoff},
		{"amplification", "common practice (US-CERT TA14-017A)", Should, "A request that nobody acknowledges, as a forged one, brings three packets in ten seconds at most.", reading(func(c *Client, r *reader) Verdict {
			r.sendTo(r.server, words(opRRQ, c.TFTPFile, "octet", "blksize", "1428"))
			packets, size := r.count(10 * time.Second)
			if packets == 0 {
				return unanswered("no answer")
			}
			return judged(packets <= 3, "%d packets of %d bytes in all", packets, size)
		})},
		{"1350-2-future", "RFC 1350 2", Must, "An ACK of a block that was not sent yet brings nothing beyond it.", reading(func(c *Client, r *reader) Verdict {
			if p, ok := r.request(c.TFTPFile); !ok || p.op != opDATA {
				return unanswered("no DATA")
			}
			r.ack(9)
			p, ok := r.next(lap / 4)
			r.abort(0)
			return judged(!ok || p.op == opERROR || p.block <= 1, "%v", p)
		})},
	}
}

// exactBlocks asks for blocks of a size that divides the file's.
func exactBlocks(c *Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		size := 0
		for n := 1400; n >= 8; n-- {
			if len(c.whole())%n == 0 {
				size = n
				break
			}
		}
		if size == 0 {
			return notApplicable("no block size divides %d bytes", len(c.whole()))
		}
		last := -1
		whole, oack := r.download(c, func(p packet) { last = len(p.body) }, "blksize", strconv.Itoa(size))
		if oack.options["blksize"] != strconv.Itoa(size) {
			return notApplicable("the block size %d is not agreed to: %v", size, oack)
		}
		return judged(last == 0 && bytes.Equal(whole, c.whole()), "%d bytes in blocks of %d, the last of %d", len(whole), size, last)
	})(c)
}

// wrapped asks for blocks so small that there are more than 65535.
func wrapped(c *Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		size := max(8, len(c.whole())/65600)
		if len(c.whole())/size <= 65536 {
			return notApplicable("%d bytes are too few, even in blocks of 8", len(c.whole()))
		}
		blocks := 0
		whole, oack := r.download(c, func(packet) { blocks++ }, "blksize", strconv.Itoa(size))
		if oack.options["blksize"] != strconv.Itoa(size) {
			return notApplicable("the block size %d is not agreed to: %v", size, oack)
		}
		return judged(bytes.Equal(whole, c.whole()), "%d blocks", blocks)
	})(c)
}

func sorcerer(c *Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		if p, ok := r.request(c.TFTPFile); !ok || p.op != opDATA {
			return unanswered("no DATA")
		}
		r.ack(1)
		r.ack(1)
		r.want(2, 1)
		// A retransmission for want of an ACK comes later than this.
		packets, _ := r.count(150 * time.Millisecond)
		r.abort(0)
		return judged(packets == 0, "%d more packets after DATA 2", packets)
	})(c)
}

func backoff(c *Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		if p, ok := r.request(c.TFTPFile); !ok || p.op != opDATA {
			return unanswered("no DATA")
		}
		r.ack(1)
		r.want(2, 1)
		var waits []float64
		for len(waits) < 3 {
			sent := time.Now()
			if _, ok := r.next(8 * lap); !ok {
				break
			}
			waits = append(waits, time.Since(sent).Seconds())
		}
		r.abort(0)
		if len(waits) < 2 {
			return failed("%d retransmissions", len(waits))
		}
		return judged(waits[len(waits)-1] > 1.5*waits[0], "%.2f s", waits)
	})(c)
}
