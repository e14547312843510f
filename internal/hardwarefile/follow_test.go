package hardwarefile

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

const csvHeader = "hostname,mac,ip_address,netmask,gateway,nameservers,disk,labels\n"

// csvOf is a hardware.csv of the machines wk<n>.
func csvOf(machines ...int) string {
	var text strings.Builder
	text.WriteString(csvHeader)
	for _, n := range machines {
		fmt.Fprintf(&text, "wk%d,52:54:00:00:02:%02x,192.168.2.%d,255.255.255.0,192.168.2.1,192.168.2.112,/dev/sda,\n", n, n, 10+n)
	}
	return text.String()
}

// The ways in which files are written that have to be followed. Each leads from machine 1 to machine 2.
func TestFollowsEveryWayOfWriting(t *testing.T) {
	tests := map[string]func(t *testing.T, dir, name string){
		"truncated and written": func(t *testing.T, _, name string) {
			write(t, name, csvOf(2))
		},
		"written in pieces": func(t *testing.T, _, name string) {
			file := must(os.Create(name))(t)
			for piece := range slices.Chunk([]byte(csvOf(2)), 40) {
				must(file.Write(piece))(t)
			}
			check(t, file.Close())
		},
		"another file renamed over it": func(t *testing.T, _, name string) {
			write(t, name+".new", csvOf(2))
			check(t, os.Rename(name+".new", name))
		},
		"renamed to a backup, then created (editors)": func(t *testing.T, dir, name string) {
			check(t, os.Rename(name, name+"~"))
			write(t, name, csvOf(2))
			check(t, os.Remove(name+"~"))
		},
		"deleted, then created": func(t *testing.T, dir, name string) {
			check(t, os.Remove(name))
			write(t, name, csvOf(2))
		},
		"the folder replaced by another": func(t *testing.T, dir, _ string) {
			write(t, filepath.Join(dir+".new", "hardware.csv"), csvOf(2))
			check(t, os.Rename(dir, dir+".old"))
			check(t, os.Rename(dir+".new", dir))
		},
		"the folder removed and made again": func(t *testing.T, dir, name string) {
			check(t, os.RemoveAll(dir))
			write(t, name, csvOf(2))
		},
		"the same size and time stamp": func(t *testing.T, dir, name string) {
			stat := must(os.Stat(name))(t)
			write(t, name+".new", csvOf(2))
			check(t, os.Chtimes(name+".new", stat.ModTime(), stat.ModTime()))
			check(t, os.Rename(name+".new", name))
		},
	}
	for _, mode := range []string{"file", "folder"} {
		for what, change := range tests {
			t.Run(mode+" "+what, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "hardware")
				name := filepath.Join(dir, "hardware.csv")
				write(t, name, csvOf(1))
				path := map[string]string{"file": name, "folder": dir}[mode]
				w := follow(t, path)
				w.eventually(t, "wk1")
				change(t, dir, name)
				w.eventually(t, "wk2")
				// A second change shows that the first one did not lose the watch.
				write(t, name, csvOf(2, 3))
				w.eventually(t, "wk2", "wk3")
			})
		}
	}
}

// TestNoisyNeighbourDelaysNothing: a log that is written next to the hardware file all the time must not keep a change
// of the file from being served within the second that is promised.
func TestNoisyNeighbourDelaysNothing(t *testing.T) {
	dir := t.TempDir()
	name, noise := filepath.Join(dir, "hardware.csv"), filepath.Join(dir, "tugboot.log")
	write(t, name, csvOf(1))
	w := follow(t, name)
	w.eventually(t, "wk1")
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for tick := time.NewTicker(quiet / 10); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				if err := os.WriteFile(noise, []byte("noise"), 0o600); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	defer func() { close(done); <-finished }()
	start := time.Now()
	write(t, name+".new", csvOf(2))
	check(t, os.Rename(name+".new", name))
	w.eventually(t, "wk2")
	if took := time.Since(start); took > time.Second {
		t.Errorf("the change was served after %v", took)
	}
}

// Kubernetes puts a ConfigMap's keys behind the symbolic link ..data, and renames another link over it.
func TestFollowsConfigMaps(t *testing.T) {
	for _, path := range []string{".", "hardware.csv"} {
		t.Run(path, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "..v1", "hardware.csv"), csvOf(1))
			check(t, os.Symlink("..v1", filepath.Join(dir, "..data")))
			check(t, os.Symlink("..data/hardware.csv", filepath.Join(dir, "hardware.csv")))
			w := follow(t, filepath.Join(dir, path))
			w.eventually(t, "wk1")
			for n := 2; n < 5; n++ {
				version := fmt.Sprintf("..v%d", n)
				write(t, filepath.Join(dir, version, "hardware.csv"), csvOf(n))
				check(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
				check(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
				check(t, os.RemoveAll(filepath.Join(dir, fmt.Sprintf("..v%d", n-1))))
				w.eventually(t, fmt.Sprintf("wk%d", n))
			}
		})
	}
}

func TestFollowsTheFileBehindALink(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	target := filepath.Join(elsewhere, "machines")
	write(t, target, csvOf(1))
	check(t, os.Symlink(target, filepath.Join(dir, "hardware.csv")))
	w := follow(t, filepath.Join(dir, "hardware.csv"))
	w.eventually(t, "wk1")
	write(t, target, csvOf(2))
	w.eventually(t, "wk2")
}

func TestPathThatAppearsLater(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "a", "b", "hardware")
	w := follow(t, dir)
	w.problem(t, "no such file or directory")
	select {
	case <-w.store.Ready():
		t.Fatal("ready with nothing read")
	default:
	}
	write(t, filepath.Join(dir, "hardware.csv"), csvOf(1))
	w.eventually(t, "wk1")
}

func TestFilesComeAndGoInAFolder(t *testing.T) {
	dir := t.TempDir()
	w := follow(t, dir)
	w.eventually(t)
	write(t, filepath.Join(dir, ".hidden.csv"), csvOf(7))
	write(t, filepath.Join(dir, "folder.csv", "below.csv"), csvOf(8))
	write(t, filepath.Join(dir, "notes.txt"), csvOf(9))
	write(t, filepath.Join(dir, "b.csv"), csvOf(2))
	w.eventually(t, "wk2")
	write(t, filepath.Join(dir, "a.yaml"), hardwareYAML("wk1", 1))
	w.eventually(t, "wk1", "wk2")
	check(t, os.Remove(filepath.Join(dir, "b.csv")))
	w.eventually(t, "wk1")
	if len(w.problems) > 0 {
		t.Errorf("a problem is seen in what is no hardware file: %v", <-w.problems)
	}
}

// What works stays as it is while a file is wrong, until the file is right again.
func TestBrokenFileChangesNothing(t *testing.T) {
	tests := map[string]struct {
		change  func(t *testing.T, name string)
		problem string
	}{
		"empty":        {func(t *testing.T, name string) { write(t, name, "") }, "hardware.csv:1: file: is empty"},
		"no header":    {func(t *testing.T, name string) { write(t, name, "banana\n") }, "hardware.csv:1: header: lacks columns"},
		"a bad row":    {func(t *testing.T, name string) { write(t, name, csvOf(1)+"wk2,banana,,,,,,\n") }, "hardware.csv:3: mac: \"banana\""},
		"deleted":      {func(t *testing.T, name string) { check(t, os.Remove(name)) }, "what was read before stays in force"},
		"a named pipe": {makePipe, "is not a regular file"},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "hardware.csv")
			write(t, name, csvOf(1, 4))
			w := follow(t, name)
			w.eventually(t, "wk1", "wk4")
			before := w.store.Load()
			tt.change(t, name)
			w.problem(t, tt.problem)
			if w.store.Load() != before {
				t.Errorf("another snapshot was published: %v", w.served())
			}
			check(t, os.RemoveAll(name))
			write(t, name, csvOf(1, 4, 5))
			w.eventually(t, "wk1", "wk4", "wk5")
		})
	}
}

// One broken file of a folder leaves the others free to change.
func TestBrokenFileBesideGoodOne(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.csv"), csvOf(1))
	write(t, filepath.Join(dir, "b.csv"), csvOf(2))
	w := follow(t, dir)
	w.eventually(t, "wk1", "wk2")
	write(t, filepath.Join(dir, "a.csv"), "banana")
	w.problem(t, "a.csv:1: header")
	write(t, filepath.Join(dir, "b.csv"), csvOf(2, 3))
	w.eventually(t, "wk1", "wk2", "wk3")
}

func TestProblemsAreReportedOnceWhileTheyLast(t *testing.T) {
	name := filepath.Join(t.TempDir(), "hardware.csv")
	write(t, name, csvOf(1)+"wk2,banana,,,,,,\n")
	f, reported := follower(t, name)
	for range 3 {
		check(t, f.Load())
	}
	write(t, name, csvOf(1)+"wk2,banana,,,,,,\n\n")
	check(t, f.Load())
	if n := count(*reported, "banana"); n != 1 {
		t.Errorf("reported %d times: %v", n, *reported)
	}
	write(t, name, csvOf(1, 2))
	check(t, f.Load())
	write(t, name, csvOf(1)+"wk2,banana,,,,,,\n")
	check(t, f.Load())
	if n := count(*reported, "banana"); n != 2 {
		t.Errorf("reported %d times after it had been put right: %v", n, *reported)
	}
	if f.store.Load().Len() != 2 {
		t.Errorf("%d reservations where the last file without problems has 2", f.store.Load().Len())
	}
}

// Without inotify the files are looked at from time to time.
func TestLooksWithoutWatching(t *testing.T) {
	name := filepath.Join(t.TempDir(), "hardware.csv")
	write(t, name, csvOf(1))
	f, _ := follower(t, name)
	f.look(nil)
	write(t, name, csvOf(1, 2))
	f.look(nil)
	if f.store.Load().Len() != 2 {
		t.Errorf("%d reservations", f.store.Load().Len())
	}
}

// A file is read again although its size and time are the same, as long as the time stamp may be too coarse to tell.
func TestTimeStampTooCoarse(t *testing.T) {
	name := filepath.Join(t.TempDir(), "hardware.csv")
	stamp := time.Now()
	f, _ := follower(t, name)
	for n := range 3 {
		write(t, name, csvOf(n+1))
		check(t, os.Chtimes(name, stamp, stamp))
		f.look(nil)
		if _, ok := f.store.Load().ByMAC(reservation.MAC{0x52, 0x54, 0, 0, 2, byte(n + 1)}); !ok {
			t.Errorf("change %d was not seen", n)
		}
	}
}

// A burst is read when it pauses, and a burst without end is read all the same; the next one starts anew.
func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBurst()
		for range 2 {
			start := time.Now()
			for range 3 {
				b.touch(time.Now())
				time.Sleep(quiet / 2)
			}
			<-b.timer.C
			if took := time.Since(start); took != 2*quiet {
				t.Errorf("read %v after the first of three changes, %v apart", took, quiet/2)
			}
			time.Sleep(time.Hour)
		}
		start := time.Now()
		for {
			b.touch(time.Now())
			select {
			case <-b.timer.C:
				if took := time.Since(start); took != longest {
					t.Errorf("an endless burst is read after %v", took)
				}
				return
			case <-time.After(quiet / 2):
			}
		}
	})
}

type watched struct {
	store    *inventory.Store
	problems chan reservation.Problem
}

// follow starts a follower, and ends it with the test.
func follow(t *testing.T, path string) *watched {
	t.Helper()
	w := &watched{store: inventory.NewStore(), problems: make(chan reservation.Problem, 100)}
	f, err := New(Options{
		Path: path, Store: w.store, Log: logr.Discard(), Registerer: prometheus.NewRegistry(),
		Report: func(p reservation.Problem) { w.problems <- p },
	})
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Start: %v", err)
		}
	})
	return w
}

func (w *watched) served() []string {
	var names []string
	for r := range w.store.Load().All() {
		names = append(names, r.Hostname)
	}
	return names
}

// eventually waits until these machines are served and no others, much less long than the slow poll lasts.
func (w *watched) eventually(t *testing.T, names ...string) {
	t.Helper()
	select {
	case <-w.store.Ready():
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was published")
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if slices.Equal(w.served(), names) {
			return
		}
	}
	t.Fatalf("serves %v, want %v", w.served(), names)
}

// problem waits for a problem that says text.
func (w *watched) problem(t *testing.T, text string) {
	t.Helper()
	var others []string
	for timeout := time.After(10 * time.Second); ; {
		select {
		case p := <-w.problems:
			if strings.Contains(p.Error(), text) {
				return
			}
			others = append(others, p.Error())
		case <-timeout:
			t.Fatalf("no problem says %q: %q", text, others)
		}
	}
}

// follower returns a follower that was not started, and the list that its reports are added to.
func follower(t *testing.T, path string) (*Follower, *[]string) {
	t.Helper()
	var reported []string
	f, err := New(Options{
		Path: path, Store: inventory.NewStore(), Log: logr.Discard(), Registerer: prometheus.NewRegistry(),
		Report: func(p reservation.Problem) { reported = append(reported, p.Error()) },
	})
	check(t, err)
	return f, &reported
}

func count(texts []string, part string) (n int) {
	for _, text := range texts {
		if strings.Contains(text, part) {
			n++
		}
	}
	return n
}

// write writes a file in place, as `cp` does, and makes the folders that it needs.
func write(t *testing.T, name, text string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(name), 0o755))
	before, err := os.ReadFile(name)
	if err == nil && bytes.Equal(before, []byte(text)) {
		t.Fatalf("%s holds this already", name)
	}
	check(t, os.WriteFile(name, []byte(text), 0o644))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		check(t, err)
		return v
	}
}
