package rows

// tftpErrorRows are about ERROR (RFC 1350 sections 5 to 7).
func tftpErrorRows() []Row {
	return []Row{
		{"1350-5-missing", "RFC 1350 5", Must, "A file that is not there: ERROR 1.", reading(func(_ *Client, r *reader) Verdict {
			p, ok := r.request("no-such-file-here")
			if !ok {
				return unanswered("no answer")
			}
			return judged(p.op == opERROR && p.block == errNotFound, "%v", p)
		})},
		{"1350-5-text", "RFC 1350 5", Must, "An ERROR has a text that ends in a NUL.", reading(func(_ *Client, r *reader) Verdict {
			p, ok := r.request("no-such-file-here")
			if !ok {
				return unanswered("no answer")
			}
			return judged(p.op == opERROR && len(p.body) > 0, "%v", p)
		})},
		{"1350-5-illegal", "RFC 1350 5", Should, "An opcode that nobody defined: ERROR 4.", reading(func(_ *Client, r *reader) Verdict {
			p, ok := r.first(numbered(99, 1, "x"))
			if !ok {
				return unanswered("no answer")
			}
			return judged(p.op == opERROR && p.block == errIllegal, "%v", p)
		})},
		{"1350-5-torn", "RFC 1350 5", Must, "A request without the NULs that end name and mode begins no transfer.", reading(func(c *Client, r *reader) Verdict {
			p, ok := r.first(append([]byte{0, opRRQ}, c.TFTPFile...))
			return judged(!ok || p.op == opERROR, "%v", p)
		})},
		{"1350-4-stranger", "RFC 1350 4", Must, "A packet from another port during a transfer is answered with ERROR 5, to that port.", strangerTID},
		{"1350-4-lives", "RFC 1350 4", Must, "The transfer goes on undisturbed by it.", livesOn},
		{"1350-7-abort", "RFC 1350 7", Must, "After the client's ERROR nothing more is sent.", reading(func(c *Client, r *reader) Verdict {
			if p, ok := r.request(c.TFTPFile); !ok || p.op != opDATA {
				return unanswered("no DATA")
			}
			r.abort(0)
			packets, _ := r.count(3 * lap)
			return judged(packets == 0, "%d packets after the ERROR", packets)
		})},
		{"2347-abort", "RFC 2347", Must, "ERROR 8 after an OACK ends the transfer: so firmware asks for a size.", reading(func(c *Client, r *reader) Verdict {
			if p, ok := r.request(c.TFTPFile, "tsize", "0"); !ok || p.op != opOACK {
				return notApplicable("no OACK, but %v", p)
			}
			r.abort(errNegotiate)
			packets, _ := r.count(3 * lap)
			return judged(packets == 0, "%d packets after the ERROR", packets)
		})},
		{"1350-7-error-lone", "RFC 1350 7", Must, "An ERROR that belongs to no transfer has no answer.", reading(func(_ *Client, r *reader) Verdict {
			r.sendTo(r.server, append(numbered(opERROR, errTID, "conformance"), 0))
			p, ok := r.next(lap)
			return judged(!ok, "%v", p)
		})},
	}
}

func strangerTID(c *Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		if p, ok := r.request(c.TFTPFile); !ok || p.op != opDATA {
			return unanswered("no DATA")
		}
		stranger := c.newReader()
		defer stranger.close()
		stranger.sendTo(r.peer, numbered(opACK, 1, ""))
		p, ok := stranger.next(lap)
		r.abort(0)
		if !ok {
			return unanswered("no answer to the stranger")
		}
		return judged(p.op == opERROR && p.block == errTID, "%v", p)
	})(c)
}

func livesOn(c *Client) Verdict {
	return reading(func(c *Client, r *reader) Verdict {
		if p, ok := r.request(c.TFTPFile); !ok || p.op != opDATA {
			return unanswered("no DATA")
		}
		stranger := c.newReader()
		defer stranger.close()
		stranger.sendTo(r.peer, append(numbered(opERROR, 0, "conformance"), 0))
		stranger.sendTo(r.peer, numbered(opACK, 1, ""))
		stranger.count(lap / 4)
		r.ack(1)
		p := r.want(2, 1)
		r.abort(0)
		return judged(p.op == opDATA && p.block == 2, "%v after a stranger's ACK and ERROR", p)
	})(c)
}
