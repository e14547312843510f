package tftp

import "bytes"

// cursor is a place in a body read as netascii, in which a line feed becomes CR LF and a carriage return CR NUL
// (RFC 764): one byte of the body may lie on both sides of a block's end.
type cursor struct {
	offset int  // the next byte of the body
	second bool // of the two bytes that it became, the first was already read
}

// read fills block from the cursor on and returns how much of it was filled and where the next block begins.
func (c cursor) read(block, body []byte) (int, cursor) {
	n := 0
	for ; n < len(block) && c.offset < len(body); n++ {
		in := body[c.offset]
		switch {
		case c.second && in == '\n':
			block[n], c.second = '\n', false
		case c.second:
			block[n], c.second = 0, false
		case in == '\n', in == '\r':
			block[n], c.second = '\r', true
			continue
		default:
			block[n] = in
		}
		c.offset++
	}
	return n, c
}

// netasciiSize is the length of body read as netascii, in bytes.
func netasciiSize(body []byte) int64 {
	return int64(len(body) + bytes.Count(body, []byte{'\n'}) + bytes.Count(body, []byte{'\r'}))
}
