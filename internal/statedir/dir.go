package statedir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Dir is a folder of documents, one file each. Its methods may be called by several goroutines; of two that save the
// same document at once, either may be the last.
type Dir struct {
	path string
}

// What files are called. A file that is being written has unfinished in its name, and gets its own when it is whole.
const (
	extension  = ".json"
	unfinished = ".unfinished-"
	// abandonedAfter is the age from which an unfinished file is taken for one whose writer died.
	abandonedAfter = time.Minute
)

// Open makes the folder, if it is not there, and clears away what writers left in it that died while they wrote. It
// fails when files cannot be written there.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("state folder %q: %w: name a folder that this process may make and write to", path, err)
	}
	d := &Dir{path: path}
	probe, err := os.CreateTemp(path, "probe"+unfinished)
	if err != nil {
		return nil, fmt.Errorf("state folder %q: %w: let this process write there, or name another", path, err)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return nil, fmt.Errorf("state folder %q: %w: let this process write there, or name another", path, err)
	}
	return d, d.clear(time.Now().Add(-abandonedAfter))
}

// clear removes unfinished files from before a moment.
func (d *Dir) clear(before time.Time) error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("state folder %q: %w", d.path, err)
	}
	var problems []error
	for _, entry := range entries {
		if !strings.Contains(entry.Name(), unfinished) || !entry.Type().IsRegular() {
			continue
		}
		found, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !found.ModTime().Before(before) {
			continue // its writer lives
		}
		if err == nil {
			err = os.Remove(filepath.Join(d.path, entry.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, fmt.Errorf("state folder %q: %w: remove the file by hand", d.path, err))
		}
	}
	return errors.Join(problems...)
}

// File returns the path of a document's file.
func (d *Dir) File(name string) string { return filepath.Join(d.path, name+extension) }

// checked refuses what is no document's name: lower-case letters, digits and dashes.
func checked(name string) error {
	bad := func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-') }
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("document %.80q: not a name: use lower-case letters, digits and dashes", name)
	}
	return nil
}
