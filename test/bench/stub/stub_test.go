package stub

import (
	"bytes"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/need"
)

func TestEchoSendsBackWhatItGets(t *testing.T) {
	need.Root(t) // for the size of its buffers
	need.Program(t, "gcc", "gcc libc6-dev")
	program := filepath.Join(t.TempDir(), "stub")
	if err := Build(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).Port
	free.Close()
	cmd := exec.CommandContext(t.Context(), program, "echo", strconv.Itoa(port))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Error("the echo had ended by itself")
		}
	}()
	client, err := net.Dial("udp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	sent, got := []byte("what comes back"), make([]byte, 100)
	for end := time.Now().Add(10 * time.Second); ; {
		if time.Now().After(end) {
			t.Fatal("nothing came back")
		}
		// Until the program listens, the kernel refuses.
		if _, err := client.Write(sent); err != nil {
			continue
		}
		if err := client.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if n, err := client.Read(got); err == nil {
			if !bytes.Equal(got[:n], sent) {
				t.Errorf("%q came back, want %q", got[:n], sent)
			}
			return
		}
	}
}

func TestAWrongUseIsRefused(t *testing.T) {
	need.Program(t, "gcc", "gcc libc6-dev")
	program := filepath.Join(t.TempDir(), "stub")
	if err := Build(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), program, "nonsense").CombinedOutput(); err == nil || !bytes.Contains(out, []byte("usage:")) {
		t.Errorf("%v: %s", err, out)
	}
}
