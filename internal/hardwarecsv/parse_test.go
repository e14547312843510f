package hardwarecsv

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/reservation"
)

var update = flag.Bool("update", false, "write the golden files anew")

// labStacks are the addresses of Tugboot in the lab that the files in testdata are about.
func labStacks() Options {
	return Options{TinkerbellIP: netip.MustParseAddr("192.168.2.112"), BootstrapIP: netip.MustParseAddr("192.168.2.113")}
}

// Each rule has a file that breaks it, and a golden file with all that is said of it.
func TestInvalidFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid-*.csv")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			var got strings.Builder
			for _, p := range parseFile(t, name, labStacks()).Problems {
				fmt.Fprintln(&got, p)
			}
			golden := strings.TrimSuffix(name, ".csv") + ".problems"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got.Len() == 0 {
				t.Error("nothing is wrong with it")
			}
			if diff := cmp.Diff(readFile(t, golden), got.String()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if strings.Contains(got.String(), "hunter2") || strings.Contains(got.String(), "secret") {
				t.Errorf("shows a password or a piece of one:\n%s", got.String())
			}
		})
	}
}

func wantRow() Row {
	return Row{
		Line: 2, Hostname: "wk01", MAC: reservation.MAC{0x52, 0x54, 0, 0, 2, 1},
		Address: netip.MustParsePrefix("192.168.2.11/24"), Gateway: netip.MustParseAddr("192.168.2.1"),
		NameServers: []netip.Addr{netip.MustParseAddr("192.168.2.112"), netip.MustParseAddr("8.8.8.8")},
		Disk:        "/dev/sda", Labels: map[string]string{"type": "worker", "example.com/rack": ""},
	}
}

func TestFormsOfTheSameRow(t *testing.T) {
	const row = "wk01,52:54:00:00:02:01,192.168.2.11,255.255.255.0,192.168.2.1,192.168.2.112|8.8.8.8,/dev/sda,type=worker|example.com/rack="
	tests := map[string]string{
		"plain":               plainHeader + row + "\n",
		"no final line feed":  plainHeader + row,
		"byte order mark":     "\xef\xbb\xbf" + plainHeader + row,
		"CRLF":                strings.ReplaceAll(plainHeader+row+"\n", "\n", "\r\n"),
		"trailing blank line": plainHeader + row + "\n\n\n",
		"spaces around":       strings.ReplaceAll(plainHeader+row, ",", " ,\t "),
		"spaces in lists":     plainHeader + strings.ReplaceAll(row, "|", " | "),
		"quotes":              plainHeader + `"` + strings.ReplaceAll(row, ",", `","`) + `"`,
		"unknown column":      strings.Replace(plainHeader, ",mac", ",rack,rack,mac", 1) + strings.Replace(row, ",", ",r7,\x01,", 1),
		"another order": "labels,disk,nameservers,gateway,netmask,ip_address,mac,hostname\n" +
			"type=worker|example.com/rack=,/dev/sda,192.168.2.112|8.8.8.8,192.168.2.1,255.255.255.0,192.168.2.11,52:54:00:00:02:01,wk01",
	}
	for name, file := range tests {
		t.Run(name, func(t *testing.T) {
			result := Parse([]byte(file), labStacks())
			if diff := cmp.Diff(Result{Rows: []Row{wantRow()}}, result, compare()); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMACIsNormalisedAndSaidSo(t *testing.T) {
	for _, written := range []string{"52-54-00-AB-02-01", "52:54:00:AB:02:01", "5254.00ab.0201", "525400ab0201"} {
		result := Parse([]byte(plainHeader+"wk01,"+written+",192.168.2.11,255.255.255.0,192.168.2.1,192.168.2.112,/dev/sda,\n"), Options{})
		if len(result.Rows) != 1 || result.Rows[0].MAC.String() != "52:54:00:ab:02:01" {
			t.Errorf("%s: %+v", written, result)
		}
		want := []Problem{{2, "mac", `"` + written + `" is written as 52:54:00:ab:02:01, the only form that Hardware objects take`}}
		if diff := cmp.Diff(want, result.Notes); diff != "" {
			t.Errorf("%s: notes (-want +got):\n%s", written, diff)
		}
	}
}

// A file with problems still tells which rows are good: whoever has nothing better can serve those.
func TestGoodRowsBesideBadOnes(t *testing.T) {
	result := parseFile(t, "testdata/invalid-address-is-ours.csv", labStacks())
	if len(result.Rows) != 1 || result.Rows[0].Hostname != "wk03" {
		t.Errorf("rows: %+v", result.Rows)
	}
}

func TestBMCsOverIPv6(t *testing.T) {
	const header, bmc = "bmc_ip,bmc_username,bmc_password," + plainHeader, "2001:db8::7,admin,secret,"
	result := Parse([]byte(header+
		bmc+"wk01,52:54:00:00:02:01,192.168.2.11,255.255.255.0,192.168.2.1,192.168.2.112,/dev/sda,\n"+
		bmc+"wk02,52:54:00:00:02:02,192.168.2.12,255.255.255.0,192.168.2.1,192.168.2.112,/dev/sda,\n"), Options{})
	if len(result.Rows) != 1 || len(result.Problems) != 1 || !strings.Contains(result.Problems[0].Text, "is already that of line 2") {
		t.Errorf("%+v", result)
	}
}

func TestSubnetsWithoutNetworkAndBroadcastAddress(t *testing.T) {
	result := Parse([]byte(plainHeader+"wk01,52:54:00:00:02:01,192.168.2.10,255.255.255.254,192.168.2.11,192.168.2.112,/dev/sda,\n"), Options{})
	if len(result.Problems) > 0 {
		t.Errorf("a subnet of two addresses (RFC 3021): %v", result.Problems)
	}
}

// An IPv4 address that is written as IPv6 is still that address.
func TestMappedAddresses(t *testing.T) {
	head := strings.TrimSuffix(plainHeader, "\n") + ",bmc_ip,bmc_username,bmc_password\n"
	row := "wk01,52:54:00:00:02:01,192.168.2.11,255.255.255.0,192.168.2.1,192.168.2.112,/dev/sda,,"
	result := Parse([]byte(head+row+"::ffff:10.0.0.1,root,pw\n"), Options{})
	if len(result.Rows) != 1 || result.Rows[0].BMC.Address != netip.MustParseAddr("10.0.0.1") {
		t.Errorf("bmc_ip: %+v", result)
	}
	result = Parse([]byte(head+row+",,\n"), Options{TinkerbellIP: netip.MustParseAddr("::ffff:192.168.2.11")})
	if len(result.Problems) != 1 || !strings.Contains(result.Problems[0].Text, "is the tinkerbellIP") {
		t.Errorf("tinkerbellIP: %+v", result)
	}
}

func TestSpacesAreNoBMC(t *testing.T) {
	head := strings.TrimSuffix(plainHeader, "\n") + ",bmc_ip,bmc_username,bmc_password\n"
	result := Parse([]byte(head+"wk01,52:54:00:00:02:01,192.168.2.11,255.255.255.0,192.168.2.1,192.168.2.112,/dev/sda,, , ,\t\n"), Options{})
	if len(result.Problems) > 0 || len(result.Rows) != 1 || result.Rows[0].BMC != nil {
		t.Errorf("result: %+v", result)
	}
}

func TestHostnameLength(t *testing.T) {
	label := strings.Repeat("a", 60)
	for _, tt := range []struct {
		name, bmc string
		accepted  bool
	}{
		{strings.Repeat(label+".", 4) + "bbbb", ",10.0.0.1,root,pw", false},     // 248 and a BMC
		{strings.Repeat(label+".", 3) + label + "b", ",10.0.0.1,root,pw", true}, // 244 and a BMC
		{strings.Repeat(label+".", 4) + "bbbbbbbbb", ",,,", true},               // 253
		{strings.Repeat(label+".", 4) + "bbbbbbbbbb", ",,,", false},             // 254
	} {
		file := strings.TrimSuffix(plainHeader, "\n") + ",bmc_ip,bmc_username,bmc_password\n" +
			tt.name + ",52:54:00:00:02:01,192.168.2.11,255.255.255.0,192.168.2.1,192.168.2.112,/dev/sda," + tt.bmc + "\n"
		if result := Parse([]byte(file), Options{}); (len(result.Problems) == 0) != tt.accepted {
			t.Errorf("%d characters, BMC %q: %v", len(tt.name), tt.bmc, result.Problems)
		}
	}
}

func TestFileTooLarge(t *testing.T) {
	if p := Parse(make([]byte, MaxSize+1), Options{}).Problems; len(p) != 1 || !strings.Contains(p[0].Text, "64 MiB") {
		t.Errorf("problems: %v", p)
	}
}

// compare lets go-cmp see the values whose fields are not exported.
func compare() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b Password) bool { return a.reveal() == b.reveal() }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	}
}

// BenchmarkRead is one row of a file with a thousand.
func BenchmarkRead(b *testing.B) {
	const rows = 1000
	var file strings.Builder
	file.WriteString(plainHeader)
	for n := range rows {
		fmt.Fprintf(&file, "wk%04d,52:54:00:00:%02x:%02x,10.0.%d.%d,255.255.0.0,10.0.0.1,10.0.0.1,/dev/sda,type=worker\n", n, n>>8, n&255, 1+n/200, 1+n%200)
	}
	text := []byte(file.String())
	b.ReportAllocs()
	for b.Loop() {
		read := 0
		problems, _ := Read(text, Options{}, func(Row) { read++ })
		if read != rows || len(problems) > 0 {
			b.Fatal(read, problems)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}
