package hardwarefile

import (
	"bytes"
	"hash/maphash"

	"github.com/tugboot/tugboot/internal/hardwarecsv"
)

// marks makes of the text of a row a number that another text does not have: two have the same one once in 2^64 times, and
// nobody can know which, for the seed is this process's own. A reservation keeps it in its Source as the Generation, and is
// not made again as long as its row, in a file of this name, has the same.
type marks struct {
	seed maphash.Seed
	file uint64 // what the file's name comes to
}

// newMarks begins with a file.
func newMarks(seed maphash.Seed, name string) marks {
	return marks{seed: seed, file: maphash.String(seed, name)}
}

// of returns the mark of a row, which is never 0. The row's line end, which the last row may lack, says nothing.
func (m *marks) of(row hardwarecsv.Known) int64 {
	var h maphash.Hash
	h.SetSeed(m.seed)
	maphash.WriteComparable(&h, m.file)
	h.Write(row.Header)
	h.Write(bytes.TrimRight(row.Text, "\r\n"))
	return int64(max(1, h.Sum64()))
}
