package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

// errNotRegular keeps lint from waiting for a pipe or a device.
var errNotRegular = errors.New("is no regular file")

// readConfiguration reads the operator's file. shown is its name as messages have it.
func readConfiguration(stdin io.Reader, name string) (text, shown string, err error) {
	source, shown := stdin, "stdin"
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", "", fmt.Errorf("configuration: %w: give the path of the DHCP daemon's configuration", err)
		}
		defer file.Close()
		source, shown = file, printableName(name)
	}
	text, err = readLimited(source)
	if err != nil {
		return "", "", fmt.Errorf("configuration %s: %w: give the path of the DHCP daemon's configuration", shown, err)
	}
	return text, shown, nil
}

// readLimited reads one byte beyond the limit at most, so that the parsers can say that it is too large.
func readLimited(source io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(source, dhcpconf.MaxSize+1))
	return string(text), err
}

// configurationReader reads what the configuration name includes. A relative name is looked for beside it: where the daemon
// would look depends on how it was started.
func configurationReader(name string) dhcpconf.Reader {
	folder := "."
	if name != "-" {
		folder = filepath.Dir(name)
	}
	return func(included string) (string, error) {
		if !filepath.IsAbs(included) {
			included = filepath.Join(folder, included)
		}
		state, err := os.Stat(included)
		if err != nil {
			return "", err
		}
		if state.IsDir() {
			return listFolder(included)
		}
		if !state.Mode().IsRegular() {
			return "", errNotRegular
		}
		file, err := os.Open(included)
		if err != nil {
			return "", err
		}
		defer file.Close()
		return readLimited(file)
	}
}

// listFolder returns the names of the files in a folder as a dhcpconf.Reader does.
func listFolder(name string) (string, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return "", err
	}
	var names strings.Builder
	for _, e := range entries {
		if !e.IsDir() && !strings.Contains(e.Name(), "\n") {
			names.WriteString(e.Name() + "\n")
		}
	}
	return names.String(), dhcpconf.ErrFolder
}
