package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
)

// component is what else is in the image, as a Debian package.
type component struct{ Version, SHA256 string }

// addToSBOM adds iPXE to the CycloneDX document in file, which a tool has made of the program.
func addToSBOM(file string, ipxe component) error {
	if ipxe.Version == "" || ipxe.SHA256 == "" {
		return errors.New("--ipxe-version and --ipxe-sha256: both are needed")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var bom map[string]any
	if err := json.Unmarshal(text, &bom); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	components, ok := bom["components"].([]any)
	if !ok {
		return fmt.Errorf("%s: no components in it: is it a CycloneDX document of a Go program?", file)
	}
	purl := "pkg:deb/debian/ipxe@" + url.QueryEscape(ipxe.Version) + "?arch=all&distro=trixie"
	bom["components"] = append(components, map[string]any{
		"bom-ref": purl, "purl": purl, "type": "firmware", "name": "ipxe", "version": ipxe.Version,
		"licenses": []any{map[string]any{"license": map[string]any{"id": "GPL-2.0-or-later"}}},
		// Of the package's file, not of the files that were taken from it.
		"hashes": []any{map[string]any{"alg": "SHA-256", "content": ipxe.SHA256}},
	})
	if text, err = json.MarshalIndent(bom, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
