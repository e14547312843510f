package hardwarefile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/tugboot/tugboot/internal/hardwarecsv"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

// The reasons of problems with a file. Those of the machines in it are package tink's and inventory's.
const (
	// ReasonFileUnreadable: the file or folder cannot be read at all.
	ReasonFileUnreadable = "HardwareFileUnreadable"
	// ReasonFileInvalid: what the file holds is not understood.
	ReasonFileInvalid = "HardwareFileInvalid"
)

// file is one file that is followed: what was last seen of it, and the content that is in force.
type file struct {
	name string
	// rank is its place among the files of the folder.
	rank int64
	seen os.FileInfo
	// settled is true when seen is so much older than the reading that any later change has another time stamp.
	settled bool
	sum     [sha256.Size]byte
	// served is true once there is content in force; clean when nothing was wrong with the file it came from.
	served, clean bool
	content       content
	// published are the reservations that the snapshot in force has of the file.
	published []*reservation.Reservation
	// failure is why the last reading is not, or not wholly, in force.
	failure []reservation.Problem
}

// shared is what all files have in common.
type shared struct {
	pool *reservation.Pool
	seed maphash.Seed
}

// outcome is what a reading led to.
type outcome int

const (
	unchanged outcome = iota // the file is as it was
	failed                   // what was in force stays in force
	partly                   // what is right in a file with problems is in force
	renewed                  // the whole file is in force
)

// read reads the file when it may have changed. Content that was in force stays so while the file is wrong. As long as the
// file was never free of problems, there is nothing better than what is right in it.
func (f *file) read(now time.Time, inForce *inventory.Snapshot, shared shared) outcome {
	stat, err := os.Stat(f.name)
	if err == nil && f.settled && sameState(f.seen, stat) {
		return unchanged
	}
	text, err := readAll(f.name, stat, err)
	if err != nil {
		return f.unreadable(err)
	}
	sum := sha256.Sum256(text)
	known := f.seen != nil && sum == f.sum
	f.seen, f.sum = stat, sum
	f.settled = now.Sub(stat.ModTime()) > timeStamps
	if known {
		return unchanged
	}
	name := filepath.Base(f.name)
	r := reading{name: name, pool: shared.pool, marks: newMarks(shared.seed, name), ages: newAges(inForce, f.rank, f.served)}
	sparingly(func() { r.parse(text) })
	f.failure = r.failure
	switch {
	case len(r.failure) == 0:
		f.served, f.clean, f.content = true, true, r.content
		return renewed
	case !f.clean && len(r.content.reservations) > 0:
		f.served, f.content = true, r.content
		return partly
	}
	return failed
}

// readingPercent is how much the heap may grow while a file is read, in percent of what is in use, before garbage is
// collected. Reading makes a lot of it; what answers packets makes none.
const readingPercent = 33

// sparingly runs f with less memory for garbage than Go takes by itself.
func sparingly(f func()) {
	before := debug.SetGCPercent(readingPercent)
	defer debug.SetGCPercent(before)
	if before < readingPercent { // somebody wants still less, or (below 0) none collected at all
		debug.SetGCPercent(before)
	}
	f()
}

// timeStamps is more than the coarsest time stamp of a file system, which are the two seconds of FAT.
const timeStamps = 3 * time.Second

func sameState(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func (f *file) unreadable(err error) outcome {
	problem := placed(filepath.Base(f.name), 0, ReasonFileUnreadable, "file", cause(err)+": make it readable")
	if f.served {
		problem.Remedy += "; what was read before stays in force"
	}
	known := slices.Contains(f.failure, problem)
	f.seen, f.failure = nil, []reservation.Problem{problem}
	if known {
		return unchanged
	}
	return failed
}

func readAll(name string, stat os.FileInfo, err error) ([]byte, error) {
	switch {
	case err != nil:
		return nil, err
	case !stat.Mode().IsRegular():
		// Opening a named pipe would wait for its writer, and its content could be read only once.
		return nil, errors.New("is not a regular file")
	}
	opened, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	var text bytes.Buffer
	text.Grow(int(min(stat.Size(), hardwarecsv.MaxSize)) + bytes.MinRead)
	_, err = text.ReadFrom(io.LimitReader(opened, hardwarecsv.MaxSize+1))
	if err == nil && text.Len() > hardwarecsv.MaxSize {
		return nil, fmt.Errorf("is larger than %d MiB", hardwarecsv.MaxSize>>20)
	}
	return text.Bytes(), err
}

// list returns the files of path, sorted: path itself, or the hardware files of the folder that it is.
func list(path string) ([]string, *reservation.Problem) {
	stat, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, unlisted(path, cause(err))
	case !stat.IsDir() && !isHardwareFile(path):
		return nil, unlisted(path, "has a name that does not say what is in it")
	case !stat.IsDir():
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, unlisted(path, cause(err))
	}
	var names []string
	for _, entry := range entries {
		// A hidden file is an editor's, or one of the folders behind a ConfigMap.
		if entry.IsDir() || strings.HasPrefix(entry.Name(), ".") || !isHardwareFile(entry.Name()) {
			continue
		}
		names = append(names, filepath.Join(path, entry.Name()))
	}
	return names, nil
}

func unlisted(path, complaint string) *reservation.Problem {
	p := placed(path, 0, ReasonFileUnreadable, "path",
		complaint+": give --hardware a file (*.csv, *.yaml, *.yml, *.json) or a folder of such files")
	return &p
}

func isHardwareFile(name string) bool {
	return slices.Contains([]string{".csv", ".yaml", ".yml", ".json"}, filepath.Ext(name))
}

// cause drops the path from an error, because every problem begins with it.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return "cannot be read: " + path.Err.Error()
	}
	return err.Error()
}
