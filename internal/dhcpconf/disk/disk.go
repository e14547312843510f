package disk

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

// errNotRegular keeps a reader from waiting for a pipe or a device.
var errNotRegular = errors.New("is no regular file")

// ReadAll returns what source holds, and one byte beyond dhcpconf.MaxSize at most, so that the parsers can say that it is too
// large.
func ReadAll(source io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(source, dhcpconf.MaxSize+1))
	return string(text), err
}

// Read returns the text of a plain file, as ReadAll does.
func Read(path string) (string, error) {
	state, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !state.Mode().IsRegular() {
		return "", errNotRegular
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	return ReadAll(file)
}

// Reader reads what a configuration in folder includes. over holds the texts that count in place of what stands on the disk,
// by absolute path; nil for none.
func Reader(folder string, over map[string]string) dhcpconf.Reader {
	return func(included string) (string, error) {
		if !filepath.IsAbs(included) {
			included = filepath.Join(folder, included)
		}
		if text, given := over[filepath.Clean(included)]; given {
			return text, nil
		}
		if state, err := os.Stat(included); err == nil && state.IsDir() {
			return list(filepath.Clean(included), over)
		}
		return Read(included)
	}
}

// list returns the names of the files in a folder as a dhcpconf.Reader does.
func list(folder string, over map[string]string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && !strings.Contains(e.Name(), "\n") {
			names = append(names, e.Name())
		}
	}
	for path := range over {
		if name := filepath.Base(path); filepath.Dir(path) == folder && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var lines strings.Builder
	for _, name := range names {
		lines.WriteString(name + "\n")
	}
	return lines.String(), dhcpconf.ErrFolder
}
