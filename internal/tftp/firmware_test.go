package tftp

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exchange is one line of a file in test/testdata/tftp.
type exchange struct {
	port       string
	fromClient bool
	payload    []byte
}

func firmware(t testing.TB, name string) []exchange {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "test", "testdata", "tftp", name))
	if err != nil {
		t.Fatal(err)
	}
	var found []exchange
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		payload, err := hex.DecodeString(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, exchange{fields[0], fields[1] == ">", payload})
	}
	return found
}

// story plays what the client sent in a capture to our own transfers, for a file of size bytes, and tells each step.
func story(t *testing.T, name string, size int) []string {
	var told []string
	transfers := map[string]*Transfer{}
	for _, e := range firmware(t, name) {
		p, err := Parse(e.payload)
		if err != nil {
			t.Fatal(err)
		}
		if !e.fromClient {
			continue
		}
		if p.Op != OpRRQ {
			told = append(told, string(transfers[e.port].Receive(p, epoch).Reason))
			continue
		}
		transfer, step, err := Open(e.payload, p, Offer{Body: file(size), Timing: DefaultTiming()}, epoch)
		if err != nil {
			t.Fatal(err)
		}
		transfers[e.port] = transfer
		told = append(told, p.Name+" -> "+strings.ReplaceAll(string(step.Send[0].Head[2:]), "\x00", " "))
	}
	return told
}

func TestFirmwareIsAnsweredAsItExpects(t *testing.T) {
	for name, want := range map[string][]string{
		"edk2-x64.hex": {
			"ipxe.efi -> tsize 1035264 blksize 1468 windowsize 4 ",
			"Probed",
			"ipxe.efi -> blksize 1468 windowsize 4 ",
		},
		"edk2-x64-autoexec.hex": {
			"deb13/ipxe-amd64.efi -> tsize 1035264 blksize 1468 windowsize 4 ",
			"Probed",
			"deb13/ipxe-amd64.efi -> blksize 1468 windowsize 4 ",
			"autoexec.ipxe -> blksize 1432 tsize 1035264 ",
		},
		"edk2-arm64-autoexec.hex": {
			"deb13/ipxe-arm64.efi -> tsize 1035264 blksize 1468 windowsize 4 ",
			"Probed",
			"deb13/ipxe-arm64.efi -> blksize 1468 windowsize 4 ",
			"autoexec.ipxe -> blksize 1432 tsize 1035264 ",
		},
		"bios-rom-ipxe.hex": {"undionly.kpxe -> blksize 1432 tsize 1035264 "},
	} {
		if diff := cmp.Diff(want, story(t, name, 1035264)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFirmwarePacketsSurviveParseAndBuild(t *testing.T) {
	for _, name := range []string{"edk2-x64.hex", "edk2-x64-autoexec.hex", "edk2-arm64-autoexec.hex", "bios-rom-ipxe.hex"} {
		for _, e := range firmware(t, name) {
			p, err := Parse(e.payload)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.AppendTo(nil); !cmp.Equal(got, e.payload) {
				t.Errorf("%s: %x became %x", name, e.payload, got)
			}
		}
	}
}
