package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSBOMGainsIPXE(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sbom.cdx.json")
	check(t, os.WriteFile(file, []byte(`{"bomFormat":"CycloneDX","components":[{"name":"a"}]}`), 0o644))
	check(t, addToSBOM(file, component{Version: "1.21.1+git1-1", SHA256: "ee"}))
	text, err := os.ReadFile(file)
	check(t, err)
	var bom struct {
		Components []struct{ Name, Version, PURL string }
	}
	check(t, json.Unmarshal(text, &bom))
	if len(bom.Components) != 2 {
		t.Fatalf("components %v", bom.Components)
	}
	want := bom.Components[1]
	want.Name, want.Version, want.PURL = "ipxe", "1.21.1+git1-1", "pkg:deb/debian/ipxe@1.21.1%2Bgit1-1?arch=all&distro=trixie"
	if bom.Components[1] != want {
		t.Errorf("%+v, want %+v", bom.Components[1], want)
	}
	check(t, os.WriteFile(file, []byte(`{"bomFormat":"CycloneDX"}`), 0o644))
	if err := addToSBOM(file, component{Version: "1", SHA256: "ee"}); err == nil || !strings.Contains(err.Error(), "no components") {
		t.Errorf("a document of nothing: %v", err)
	}
	if err := addToSBOM(file, component{}); err == nil || !strings.Contains(err.Error(), "--ipxe-version") {
		t.Errorf("no version: %v", err)
	}
}

func TestRootsAreCertificateAuthorities(t *testing.T) {
	file := filepath.Join(t.TempDir(), "certs", "ca-certificates.crt")
	check(t, writeRoots(file))
	text, err := os.ReadFile(file)
	check(t, err)
	n := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		check(t, err)
		if !certificate.IsCA {
			t.Errorf("%s is no certificate authority", certificate.Subject)
		}
		n++
	}
	if n < 50 {
		t.Errorf("%d certificate authorities, want those of Mozilla's list", n)
	}
}

func TestLicensesOfThisProgram(t *testing.T) {
	self, err := os.Executable()
	check(t, err)
	into := t.TempDir()
	check(t, collectLicenses(t.Context(), self, into))
	for _, want := range []string{
		"std/LICENSE", "github.com/spf13/cobra/LICENSE.txt", "kernel.org/pub/linux/libs/security/libcap/cap/License",
	} {
		if stat, err := os.Stat(filepath.Join(into, want)); err != nil || stat.Size() < 500 {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := copyLicenses(t.TempDir(), into); err == nil || !strings.Contains(err.Error(), "no licence in it") {
		t.Errorf("a module without a licence: %v", err)
	}
}
