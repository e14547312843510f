package rows

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// allowBroadcast lets a socket send to broadcast addresses.
func allowBroadcast(raw syscall.RawConn) error {
	var err error
	if controlErr := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1) }); controlErr != nil {
		return controlErr
	}
	return err
}

// agreed judges the first packet in answer to a request with options, and ends the transfer.
func agreed(judge func(p packet) Verdict, options ...string) func(*Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		p, ok := r.request(c.TFTPFile, options...)
		if !ok {
			return unanswered("no answer")
		}
		if p.op != opERROR {
			r.abort(errNegotiate)
		}
		return judge(p)
	})
}

// ranged judges that an option's value is agreed to as no more than most and no less than least.
func ranged(name, asked string, least, most int) func(*Client) Verdict {
	return agreed(func(p packet) Verdict {
		if _, there := p.options[name]; p.op != opOACK || !there {
			return failed("%v", p)
		}
		value, err := strconv.Atoi(p.options[name])
		return judged(err == nil && least <= value && value <= most, "%v", p)
	}, name, asked)
}

// unacceptable judges that a value is not agreed to: left out, answered by ERROR 8, or brought into the range.
func unacceptable(name, asked string, least, most int) func(*Client) Verdict {
	return agreed(func(p packet) Verdict {
		if p.op == opERROR {
			return judged(p.block == errNegotiate || p.block == errIllegal || p.block == 0, "%v", p)
		}
		text, there := p.options[name]
		value, err := strconv.Atoi(text)
		return judged(!there || err == nil && least <= value && value <= most, "%v", p)
	}, name, asked)
}

// tftpOptionRows are about option negotiation (RFC 2347), blksize (2348), timeout and tsize (2349).
func tftpOptionRows() []Row {
	return []Row{
		{"2347-none", "RFC 2347", Must, "A request without options is answered with DATA, not with an OACK.", agreed(func(p packet) Verdict { return judged(p.op == opDATA, "%v", p) })},
		{"2347-unknown", "RFC 2347", Must, "An unknown option is left out of the OACK, and is no error.", agreed(func(p packet) Verdict {
			return judged(p.op == opOACK && len(p.options) == 1 && p.options["blksize"] != "", "%v", p)
		}, "conformance", "1", "blksize", "1024")},
		{"2347-only-unknown", "RFC 2347", Must, "Unknown options only: DATA, as if there were none.", agreed(func(p packet) Verdict { return judged(p.op == opDATA, "%v", p) }, "conformance", "1")},
		{"2347-subset", "RFC 2347", Must, "An OACK has no option that was not asked for.", agreed(func(p packet) Verdict {
			asked := !slices.ContainsFunc(p.names, func(name string) bool { return !strings.EqualFold(name, "tsize") })
			return judged(p.op == opOACK && asked, "%v", p)
		}, "tsize", "0")},
		{"2347-case", "RFC 2347", Must, "Option names may be in capitals and small letters.", agreed(func(p packet) Verdict {
			return judged(p.op == opOACK && p.options["blksize"] == "1024", "%v", p)
		}, "BLKsize", "1024")},
		{"2347-ack0", "RFC 2347", Must, "ACK 0 after the OACK brings DATA 1.", reading(func(c *Client, r *reader) Verdict {
			if p, ok := r.request(c.TFTPFile, "blksize", "1024"); !ok || p.op != opOACK {
				return notApplicable("no OACK, but %v", p)
			}
			r.ack(0)
			p := r.want(1, 0)
			r.abort(0)
			return judged(p.op == opDATA && p.block == 1 && len(p.body) == 1024, "%v", p)
		})},
		{"2347-oack-again", "RFC 2347", Must, "An OACK that is not acknowledged is sent again.", reading(func(c *Client, r *reader) Verdict {
			if p, ok := r.request(c.TFTPFile, "blksize", "1024"); !ok || p.op != opOACK {
				return notApplicable("no OACK, but %v", p)
			}
			p, ok := r.next(6 * lap)
			r.abort(errNegotiate)
			return judged(ok && p.op == opOACK, "%v", p)
		})},
		{"2348-8", "RFC 2348", Must, "blksize 8, the least: agreed to.", ranged("blksize", "8", 8, 8)},
		{"2348-1428", "RFC 2348", Must, "blksize 1428: agreed to, or less.", ranged("blksize", "1428", 8, 1428)},
		{"2348-65464", "RFC 2348", Must, "blksize 65464, the most: agreed to, or less.", ranged("blksize", "65464", 8, 65464)},
		{"2348-7", "RFC 2348", Must, "blksize 7 is out of range, and not agreed to.", unacceptable("blksize", "7", 0, -1)},
		{"2348-65465", "RFC 2348", Must, "blksize 65465 is out of range, and not agreed to as such.", unacceptable("blksize", "65465", 8, 65464)},
		{"2348-text", "RFC 2348", Must, "A blksize that is no number is not agreed to.", unacceptable("blksize", "large", 0, -1)},
		{"2348-honoured", "RFC 2348", Must, "Blocks have the size that was agreed on, and together they are the file.", func(c *Client) Verdict {
			return reading(func(c *Client, r *reader) Verdict {
				longest := 0
				whole, oack := r.download(c, func(p packet) { longest = max(longest, len(p.body)) }, "blksize", "1000")
				return judged(oack.options["blksize"] == fmt.Sprint(longest) && bytes.Equal(whole, c.whole()), "%v, blocks of %d bytes", oack, longest)
			})(c)
		}},
		{"2349-tsize", "RFC 2349", Must, "tsize 0 in a read request is answered with the file's size.", func(c *Client) Verdict {
			return agreed(func(p packet) Verdict {
				return judged(p.options["tsize"] == strconv.Itoa(len(c.whole())), "%v, the file has %d bytes", p, len(c.whole()))
			}, "tsize", "0")(c)
		}},
		{"2349-timeout", "RFC 2349", Must, "A timeout is agreed to with the value that was asked for.", ranged("timeout", "3", 3, 3)},
		{"2349-timeout-0", "RFC 2349", Must, "timeout 0 is out of range, and not agreed to.", unacceptable("timeout", "0", 1, 255)},
		{"2349-timeout-256", "RFC 2349", Must, "timeout 256 is out of range, and not agreed to.", unacceptable("timeout", "256", 1, 255)},
		{"2349-timeout-kept", "RFC 2349", Must, "The timeout that was agreed on is kept.", keptTimeout},
	}
}

func keptTimeout(c *Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		if p, ok := r.request(c.TFTPFile, "timeout", "1"); !ok || p.op != opOACK {
			return notApplicable("no OACK, but %v", p)
		}
		r.ack(0)
		r.want(1, 0)
		sent := time.Now()
		p, ok := r.next(3 * lap)
		took := time.Since(sent).Seconds()
		r.abort(0)
		return judged(ok && p.op == opDATA && took > 0.7 && took < 2, "%v again after %.2f s", p, took)
	})(c)
}

// tftpWindowRows are about windowsize (RFC 7440).
func tftpWindowRows() []Row {
	return []Row{
		{"7440-3-agreed", "RFC 7440 3", Must, "windowsize 8: agreed to, or less.", ranged("windowsize", "8", 1, 8)},
		{"7440-3-most", "RFC 7440 3", Must, "windowsize 65535, the most: agreed to, or less.", ranged("windowsize", "65535", 1, 65535)},
		{"7440-3-0", "RFC 7440 3", Must, "windowsize 0 is out of range, and not agreed to.", unacceptable("windowsize", "0", 1, 65535)},
		{"7440-4-window", "RFC 7440 4", Must, "As many blocks as were agreed on come without an ACK, and no more.", windowed(func(r *reader, blocks []uint16) Verdict {
			more, ok := r.next(100 * time.Millisecond)
			return judged(!ok || more.block == 1, "DATA %v", blocks)
		})},
		{"7440-4-next", "RFC 7440 4", Must, "The ACK of the last one brings the next window.", windowed(func(r *reader, blocks []uint16) Verdict {
			r.ack(blocks[len(blocks)-1])
			next := r.take(len(blocks))
			return judged(slices.Equal(next, []uint16{5, 6, 7, 8}), "DATA %v, then %v", blocks, next)
		})},
		{"7440-4-gap", "RFC 7440 4", Must, "An ACK inside the window, after a loss, brings the blocks after it again.", windowed(func(r *reader, blocks []uint16) Verdict {
			time.Sleep(50 * time.Millisecond) // as long as a client waits for the block that is lost
			r.ack(2)
			next := r.take(len(blocks))
			return judged(slices.Equal(next, []uint16{3, 4, 5, 6}), "DATA %v, ACK 2, then %v", blocks, next)
		})},
		{"7440-4-lost", "RFC 7440 4", Must, "A window that is not acknowledged is sent again from its first block.", windowed(func(r *reader, blocks []uint16) Verdict {
			p, ok := r.next(6 * lap)
			return judged(ok && p.op == opDATA && p.block == 1, "DATA %v, then %v", blocks, p)
		})},
		{"7440-4-whole", "RFC 7440 4", Must, "A file arrives whole by windows, with a loss in every tenth.", lossy},
	}
}

// windowed judges after the first window, of four blocks.
func windowed(judge func(r *reader, blocks []uint16) Verdict) func(*Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		p, ok := r.request(c.TFTPFile, "windowsize", "4", "blksize", "512")
		if !ok || p.op != opOACK || p.options["windowsize"] != "4" {
			return notApplicable("windowsize 4 is not agreed to: %v", p)
		}
		r.ack(0)
		blocks := r.take(4)
		if !slices.Equal(blocks, []uint16{1, 2, 3, 4}) {
			return failed("the first window is DATA %v", blocks)
		}
		defer r.abort(0)
		return judge(r, blocks)
	})
}

// take returns the numbers of the next blocks, as many as n.
func (r *reader) take(n int) []uint16 {
	var blocks []uint16
	for len(blocks) < n {
		p, ok := r.next(lap)
		if !ok || p.op != opDATA {
			return blocks
		}
		blocks = append(blocks, p.block)
	}
	return blocks
}

// lossy reads the file by windows of eight, and takes the third block of every tenth window for lost.
func lossy(c *Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		const size, window = 1024, 8
		p, ok := r.request(c.TFTPFile, "windowsize", strconv.Itoa(window), "blksize", strconv.Itoa(size))
		if !ok || p.op != opOACK || p.options["windowsize"] != strconv.Itoa(window) || p.options["blksize"] != strconv.Itoa(size) {
			return notApplicable("windowsize %d is not agreed to: %v", window, p)
		}
		r.ack(0)
		var whole []byte
		received, start, lost := 0, 0, 0 // start is what was acknowledged last
		for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
			p, ok := r.next(2 * lap)
			if !ok || p.op == opERROR {
				return failed("%d bytes, then %v", len(whole), p)
			}
			block := int(p.block)
			if block == received+1 && received-start == 2 && lost <= received/(10*window) {
				lost++
				continue
			}
			if block == received+1 {
				received, whole = block, append(whole, p.body...)
				if len(p.body) < size {
					r.ack(p.block)
					return judged(bytes.Equal(whole, c.whole()) && lost > 0, "%d bytes, %d blocks lost on the way", len(whole), lost)
				}
			}
			if block == start+window { // the window's end, with or without a gap before it
				start = received
				r.ack(uint16(received))
			}
		}
		return failed("%d bytes within 30 s", len(whole))
	})(c)
}
