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
	"github.com/tugboot/tugboot/internal/dhcpconf/disk"
)

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
	text, err = disk.ReadAll(source)
	if err != nil {
		return "", "", fmt.Errorf("configuration %s: %w: give the path of the DHCP daemon's configuration", shown, err)
	}
	return text, shown, nil
}

// configurationReader reads what the configuration name includes.
func configurationReader(name string) dhcpconf.Reader {
	if name == "-" {
		return disk.Reader(".", nil)
	}
	return disk.Reader(filepath.Dir(name), nil)
}

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
