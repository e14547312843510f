package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

// corpus returns what fuzzing found interesting for a target: of each input, the values that are bytes or text.
func corpus(t *testing.T, pkg, target string) [][]byte {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, pkg, "testdata/fuzz", target, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no inputs for %s: %v", pkg, target, err)
	}
	var inputs [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			quoted, ok := strings.CutPrefix(strings.TrimSpace(line), "[]byte(")
			if !ok {
				quoted, ok = strings.CutPrefix(strings.TrimSpace(line), "string(")
			}
			if !ok {
				continue // the first line, or a number
			}
			value, err := strconv.Unquote(strings.TrimSuffix(quoted, ")"))
			if err != nil {
				t.Fatalf("%s: %s: %v", file, line, err)
			}
			inputs = append(inputs, []byte(value))
		}
	}
	return inputs
}

// All that fuzzing found goes through the whole program, with every line of the log on, and the machines are served.
func TestHostileCorpora(t *testing.T) {
	f := newFaulty(t, "corpora", "--dhcp-machine-rate=1000000", "--dhcp-total-rate=1000000", "--tftp-source-rate=1000000")
	f.restart("--log-level=debug")
	v := f.watch()
	for _, c := range []struct {
		pkg, target string
		port        uint16
	}{
		{"internal/dhcp4", "FuzzParse", 67}, {"internal/dhcp4", "FuzzAnswer", 67}, {"internal/server/dhcpd", "FuzzHandle", 67},
		{"internal/tftp", "FuzzParse", 69}, {"internal/tftp", "FuzzTransfer", 69}, {"internal/server/tftpd", "FuzzHandle", 69},
		{"internal/syslog", "FuzzParse", 514}, {"internal/server/syslogd", "FuzzHandle", 514},
	} {
		inputs := corpus(t, c.pkg, c.target)
		to := netip.AddrPortFrom(netip.MustParseAddr(serverAddr), c.port)
		f.fire(f.hall.host, volley{from: func(n int) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(hallRelay), uint16(2000+n)) },
			to: to, total: len(inputs), rate: 5000, payload: func(n int) []byte { return inputs[n][:min(len(inputs[n]), 1400)] }})()
		f.serves(fmt.Sprintf("after %d inputs of %s %s", len(inputs), c.pkg, c.target))
	}
	for _, input := range corpus(t, "internal/syslog", "FuzzFraming") {
		f.stream(input)
	}
	f.serves("after streams of syslog")
	v.unharmed(8 << 20)
	f.wholeLog()
}

// restart starts Tugboot again with further flags.
func (f *faulty) restart(flags ...string) {
	f.t.Helper()
	f.tugboot.Stop(5 * time.Second)
	f.args = append(f.args, flags...)
	f.start()
}

// stream sends bytes to the syslog port over TCP.
func (f *faulty) stream(b []byte) {
	f.t.Helper()
	var conn net.Conn
	err := f.reader.Do(func() (err error) {
		conn, err = net.DialTimeout("tcp4", serverAddr+":514", time.Second)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(b); err != nil {
		f.t.Logf("%d bytes over TCP: %v", len(b), err) // closed in the middle, as nonsense is
	}
}

// wholeLog asserts that each line of the log is JSON, whatever was in it, and that no terminal could be written on with it.
func (f *faulty) wholeLog() {
	f.t.Helper()
	file, err := os.Open(f.tugboot.Log)
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	lines := 0
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for ; scanner.Scan(); lines++ {
		if !json.Valid(scanner.Bytes()) || strings.ContainsFunc(scanner.Text(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
			f.t.Fatalf("line %d of the log: %q", lines+1, scanner.Text())
		}
	}
	if err := scanner.Err(); err != nil || lines < 100 {
		f.t.Errorf("%d lines in the log: %v", lines, err)
	}
}

// Files and objects that fuzzing found lie beside a good one, which is served.
func TestHostileHardware(t *testing.T) {
	s := newSite(t, "hardware", hallHardware(1), "--log-level=info")
	folder := filepath.Join(s.Dir, "hardware")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name string, text []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("good.yaml", []byte(hallHardware(1)))
	s.tugboot.Stop(5 * time.Second)
	s.args = append(s.args, "--hardware="+folder)
	s.start()
	h := s.newHall()
	n := 0
	for pkg, kind := range map[string]string{"internal/hardwarecsv FuzzParse": "csv", "internal/tink FuzzConvert": "yaml"} {
		name, target, _ := strings.Cut(pkg, " ")
		for _, input := range corpus(t, name, target) {
			if n++; kind == "yaml" {
				input = object(input)
			}
			write(fmt.Sprintf("%03d.%s", n, kind), input)
		}
	}
	s.within(10*time.Second, "the files are read", func() bool {
		return strings.Contains(lab.Tail(s.tugboot.Log, 1000), fmt.Sprintf("%03d.", n))
	})
	if _, err := h.boot(0); err != nil {
		t.Error(err)
	}
	s.restarts(h)
}

// restarts asserts that it starts with these files, too.
func (s *site) restarts(h *hall) {
	s.t.Helper()
	s.tugboot.Stop(5 * time.Second)
	s.start()
	if _, err := h.boot(0); err != nil {
		s.t.Error(err)
	}
}

// object makes a Hardware of what was found, which says neither what it is nor what it is called.
func object(found []byte) []byte {
	var fields map[string]any
	if json.Unmarshal(found, &fields) != nil || fields == nil {
		return found
	}
	fields["apiVersion"], fields["kind"] = "tinkerbell.org/v1alpha1", "Hardware"
	text, err := json.Marshal(fields)
	if err != nil {
		return found
	}
	return text
}
