package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// noFiles is the reader of a configuration that includes nothing: a running server has read it all.
func noFiles(string) (string, error) { return "", errNotRegular }

// credentials are the files of --kea-credentials, named as the keys of the Secret of a DHCPService are.
var credentials = []string{"username", "password", "ca.crt", "tls.crt", "tls.key"}

// readCredentials reads those of them that are in the folder; none without a folder.
func readCredentials(folder string) (map[string][]byte, error) {
	if folder == "" {
		return nil, nil
	}
	found := map[string][]byte{}
	for _, name := range credentials {
		text, err := os.ReadFile(filepath.Join(folder, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("--kea-credentials: %w", err)
		case name == "username" || name == "password":
			found[name] = bytes.TrimRight(text, "\r\n")
		default:
			found[name] = text
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("--kea-credentials %s: holds none of the files %s", printableName(folder), strings.Join(credentials, ", "))
	}
	return found, nil
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
