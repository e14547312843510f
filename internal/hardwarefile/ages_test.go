package hardwarefile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/reservation"
)

// TestReadingAgainIsLikeReadingAnew: whatever is done to the files, the snapshot is what a start beside them makes.
func TestReadingAgainIsLikeReadingAnew(t *testing.T) {
	folder := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		dir := filepath.Join(folder, fmt.Sprint(runs))
		check(t, os.Mkdir(dir, 0o755))
		f, _ := follower(t, dir)
		machine := rapid.Custom(func(rt *rapid.T) string {
			n := rapid.IntRange(1, 12).Draw(rt, "address")
			return hardwareYAML(fmt.Sprint("wk", rapid.IntRange(1, 30).Draw(rt, "name")), n)
		})
		for range rapid.IntRange(1, 8).Draw(rt, "changes") {
			name := filepath.Join(dir, rapid.SampledFrom([]string{"a.yaml", "b.yaml", "c.yaml"}).Draw(rt, "file"))
			machines := rapid.SliceOfN(machine, 0, 8).Draw(rt, "machines")
			if before, err := os.ReadFile(name); err == nil && rapid.Bool().Draw(rt, "edit") {
				old := strings.SplitAfter(string(before), "---\n")
				at := rapid.IntRange(0, len(old)).Draw(rt, "at")
				machines = slices.Insert(old, at, machines[:len(machines)/3]...)
			}
			for i, m := range machines {
				machines[i] = strings.TrimSuffix(m, "---\n")
			}
			if len(machines) == 0 {
				check(t, os.RemoveAll(name))
			} else {
				check(t, os.WriteFile(name, []byte(strings.Join(machines, "---\n")), 0o600))
			}
			check(t, f.Load())
			anew, _ := follower(t, dir)
			check(t, anew.Load())
			if diff := cmp.Diff(shownBy(anew), shownBy(f)); diff != "" {
				rt.Fatalf("a start (-), a change (+):\n%s", diff)
			}
		}
	})
}

// The same for a hardware.csv, of which rows that did not change are passed over.
func TestReadingRowsAgainIsLikeReadingThemAnew(t *testing.T) {
	folder := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		name := filepath.Join(folder, fmt.Sprint(runs), "h.csv")
		check(t, os.Mkdir(filepath.Dir(name), 0o755))
		f, _ := follower(t, name)
		numbers := []int{1, 2, 3, 4, 5, 6}
		for range rapid.IntRange(1, 6).Draw(rt, "changes") {
			order := rapid.Permutation(numbers).Draw(rt, "order")[:rapid.IntRange(0, len(numbers)).Draw(rt, "rows")]
			addresses := numbers
			if rapid.Bool().Draw(rt, "others' addresses") {
				addresses = rapid.Permutation(numbers).Draw(rt, "addresses")
			}
			var file strings.Builder
			columns := rapid.SampledFrom([]string{"gateway,nameservers", "nameservers,gateway"}).Draw(rt, "header")
			file.WriteString("hostname,mac,ip_address,netmask," + columns + ",disk,labels,vlan_id\n")
			for i, n := range order {
				fmt.Fprintf(&file, "wk%d,52:54:00:00:02:%02x,192.168.2.%d,255.255.255.0,192.168.2.1,192.168.2.2,/dev/sda,,%s", n, n, 10+addresses[n-1],
					rapid.SampledFrom([]string{"", "", "", "50"}).Draw(rt, "vlan"))
				if i < len(order)-1 || rapid.Bool().Draw(rt, "line end") {
					file.WriteString("\n")
				}
			}
			check(t, os.WriteFile(name, []byte(file.String()), 0o600))
			check(t, f.Load())
			anew, _ := follower(t, name)
			check(t, anew.Load())
			if diff := cmp.Diff(shownBy(anew), shownBy(f)); diff != "" {
				rt.Fatalf("a start (-), a change (+):\n%s", diff)
			}
		}
	})
}

// What was passed over is looked at all the same where another row might have the same: the file is refused.
func TestRowThatIsThereTwiceIsFoundAgain(t *testing.T) {
	name := filepath.Join(t.TempDir(), "h.csv")
	write(t, name, csvOf(1, 2))
	f, reported := follower(t, name)
	check(t, f.Load())
	write(t, name, csvOf(1, 2)+strings.Replace(csvOf(1), csvHeader, "", 1))
	check(t, f.Load())
	if f.store.Load().Len() != 2 || count(*reported, "is already that of line 2") != 3 { // hostname, MAC, address
		t.Errorf("%d reservations; reported %q", f.store.Load().Len(), *reported)
	}
}

// shownBy is all that a follower's snapshot says, but the ages.
func shownBy(f *Follower) (lines []string) {
	snapshot := f.store.Load()
	for r := range snapshot.All() {
		byAddress, _ := snapshot.ByAddress(r.Address.Addr())
		lines = append(lines, fmt.Sprint(r.Source.Object(), r.MAC, r.Address, r.Hostname, r.AgentID, *r.Settings, byAddress == r))
	}
	for _, c := range snapshot.Conflicts() {
		lines = append(lines, c.Problem().Error())
	}
	return lines
}

// What stays as it was keeps its place in memory, and nothing else does.
func TestWhatDidNotChangeIsKept(t *testing.T) {
	name := filepath.Join(t.TempDir(), "h.csv")
	write(t, name, csvOf(1, 2, 3, 4))
	f, _ := follower(t, name)
	check(t, f.Load())
	of := func(n byte) *reservation.Reservation {
		r, _ := f.store.Load().ByMAC(reservation.MAC{0x52, 0x54, 0, 0, 2, n})
		return r
	}
	one, two, three, four := of(1), of(2), of(3), of(4)
	if one.Settings != four.Settings {
		t.Error("equal settings stand in memory twice")
	}
	write(t, name, strings.Replace(csvOf(1, 2, 9, 3, 4), "192.168.2.12,", "192.168.2.99,", 1))
	check(t, f.Load())
	if of(1) != one || of(3) != three || of(4) != four {
		t.Error("what did not change was made anew")
	}
	if of(2) == two || of(2).Address.String() != "192.168.2.99/24" || two.Address.String() != "192.168.2.12/24" {
		t.Errorf("changed from %v to %v", two.Address, of(2).Address)
	}
	if of(9) == nil {
		t.Error("what was put in is not there")
	}
	write(t, name, csvOf(4, 3, 9, 1))
	check(t, f.Load())
	if of(2) != nil || f.store.Load().Len() != 4 {
		t.Error("what was taken out is still there")
	}
}
