package dhcpconf

import (
	"errors"
	"fmt"
	"slices"
)

// Reader returns the text of a file that a configuration names. For a folder it returns the names of the files in it, one on
// each line and sorted, and ErrFolder.
type Reader func(name string) (text string, err error)

// ErrFolder says that a name is that of a folder.
var ErrFolder = errors.New("is a folder")

// The limits of what one configuration may include. MaxSize is in bytes, over all files.
const (
	MaxSize  = 64 << 20
	maxFiles = 2000
	maxDepth = 10 // Kea's own limit
)

// Files reads what a configuration includes, and keeps it from going on for ever.
type Files struct {
	read  Reader
	open  []string
	count int
	size  int
}

// NewFiles returns the files of the configuration name, whose text is size bytes long. A nil read refuses every include.
func NewFiles(name string, size int, read Reader) *Files {
	return &Files{read: read, open: []string{name}, size: size}
}

// Enter returns the text of an included file; Leave ends it. For a folder it returns the names in it and ErrFolder, and there
// is nothing to leave. The errors name the file, quoted, and the remedy.
func (f *Files) Enter(name string) (string, error) {
	f.count++
	switch {
	case f.read == nil:
		return "", fmt.Errorf("%+.80q: included files are not read here: give the file itself", name)
	case slices.Contains(f.open, name):
		return "", fmt.Errorf("%+.80q: includes itself: remove the include", name)
	case len(f.open) > maxDepth:
		return "", fmt.Errorf("%+.80q: included more than %d deep: include it from a file further up", name, maxDepth)
	case f.count > maxFiles:
		return "", fmt.Errorf("%+.80q: more than %d files: divide the configuration", name, maxFiles)
	}
	text, err := f.read(name)
	if errors.Is(err, ErrFolder) {
		return text, ErrFolder
	}
	if err != nil {
		return "", fmt.Errorf("%+.80q: %w: make it readable, or correct the name", name, err)
	}
	if f.size += len(text); f.size > MaxSize {
		return "", fmt.Errorf("%+.80q: the files are larger than %d MiB together: divide the configuration", name, MaxSize>>20)
	}
	f.open = append(f.open, name)
	return text, nil
}

// Leave ends the file that was entered last.
func (f *Files) Leave() {
	if len(f.open) > 1 {
		f.open = f.open[:len(f.open)-1]
	}
}
