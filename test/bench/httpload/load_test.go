package httpload

import (
	"bytes"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestLoadFetchesAndCompares(t *testing.T) {
	content := bytes.Repeat([]byte("initrd "), 1<<20)
	served := content
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "initrd", time.Time{}, bytes.NewReader(served))
	}))
	defer server.Close()
	l := Load{Server: server.Listener.Addr().String(), Path: "/initrd", Size: int64(len(content)), CRC: crc32.ChecksumIEEE(content),
		Clients: 4, Transfers: 2, Limit: 30 * time.Second}
	o, err := Run(l)
	if err != nil {
		t.Fatal(err)
	}
	if o.Done != 8 || o.Bytes != 8*l.Size || o.MBPerSecond() <= 0 || o.SlowestTransfer <= 0 {
		t.Errorf("%+v, want 8 transfers of %d bytes", o, l.Size)
	}
	served = append(bytes.Clone(content[:len(content)-1]), 'x')
	if _, err := Run(l); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("another file was taken for the right one: %v", err)
	}
	begins := Load{Server: l.Server, Path: "/script", Begins: "initrd", Clients: 2, Transfers: 3, Limit: 30 * time.Second}
	if o, err := Run(begins); err != nil || o.Done != 6 || o.Bytes != 6*int64(len(content)) || o.PerSecond() <= 0 {
		t.Errorf("by its beginning: %+v, %v", o, err)
	}
	begins.Begins = "#!ipxe"
	if _, err := Run(begins); err == nil || !strings.Contains(err.Error(), "#!ipxe") {
		t.Errorf("another beginning was taken for the right one: %v", err)
	}
	served = content[1:]
	if _, err := Run(l); err == nil {
		t.Error("a shorter file was taken for the right one")
	}
}
