package statedir

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// content is a document whose halves must belong together.
type content struct {
	Number int
	Filler []string
	Again  int
}

func numbered(n int) content {
	return content{Number: n, Filler: make([]string, 1+n%5000), Again: n}
}

func open(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not", "there", "yet")
	d := open(t, path)
	var got content
	if _, err := d.Load("baton", &got); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("nothing was saved: %v", err)
	}
	for n := range 3 {
		if err := d.Save("baton", numbered(n)); err != nil {
			t.Fatal(err)
		}
		got = content{}
		saved, err := open(t, path).Load("baton", &got)
		if err != nil || got.Number != n || got.Again != n || time.Since(saved).Abs() > 2*time.Second {
			t.Fatalf("loaded %v of %v (%v), want %d", got.Number, saved, err, n)
		}
	}
	if _, err := d.Load("hardware", &got); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another document: %v", err)
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v in the folder (%v), want the one file", entries, err)
	}
	file, err := entries[0].Info()
	if err != nil || file.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v), want 0600", file.Mode(), err)
	}
	if folder, err := os.Stat(path); err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("the folder's mode is %v (%v), want 0700", folder.Mode(), err)
	}
}

func TestBrokenAndForeignFilesAreRefused(t *testing.T) {
	d := open(t, t.TempDir())
	if err := d.Save("baton", numbered(1)); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(d.File("baton"))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Save("other", map[string]int{"Surprise": 1}); err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(d.File("other"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ text, want string }{
		"empty":                {"", "not a file in which Tugboot keeps its baton"},
		"foreign":              {"#!/bin/sh\nexit\n", "not a file in which"},
		"another document's":   {string(other), "not a file in which"},
		"another's content":    {strings.Replace(string(other), `"other"`, `"baton"`, 1), "does not know"},
		"cut off":              {string(good[:len(good)-1]), "cut off"},
		"one bit":              {strings.Replace(string(good), `"Number":1`, `"Number":3`, 1), "changed"},
		"something at its end": {string(good) + "x", "changed"},
		"of a later Tugboot":   {strings.Replace(string(good), `"format":1`, `"format":2`, 1), "format 2"},
		"one endless line":     {strings.Repeat("x", 1<<16), "not a file in which"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(d.File("baton"), []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var got content
			_, err := d.Load("baton", &got)
			if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), d.File("baton")) {
				t.Errorf("%v, want an error that names the file and says %q", err, test.want)
			}
		})
	}
	if err := os.Remove(d.File("baton")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(d.File("baton"), 0o600); err != nil {
		t.Fatal(err)
	}
	var got content
	if _, err := d.Load("baton", &got); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a pipe: %v", err)
	}
}

func TestTooLargeAndNamesThatAreNone(t *testing.T) {
	d := open(t, t.TempDir())
	if err := d.Save("big", strings.Repeat("x", maxFile)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("too large a document: %v", err)
	}
	file, err := os.Create(d.File("big"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(file.Truncate(maxFile+1), file.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Load("big", new(string)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("too large a file: %v", err)
	}
	if err := d.Save("channel", make(chan int)); err == nil {
		t.Error("what JSON cannot hold was saved")
	}
	for _, name := range []string{"", "../baton", "a/b", "a.b", "A", strings.Repeat("a", 65)} {
		if err := d.Save(name, 1); err == nil || !strings.Contains(err.Error(), "not a name") {
			t.Errorf("Save of %q: %v", name, err)
		}
		if _, err := d.Load(name, new(int)); err == nil || !strings.Contains(err.Error(), "not a name") {
			t.Errorf("Load of %q: %v", name, err)
		}
	}
}

func TestAFolderThatIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, filepath.Join(path, "below"), "/proc/1/nowhere"} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want an error that names it", path, err)
		}
	}
}

// TestFailedSaveLeavesWhatWasThere: a file that cannot be replaced, here because a folder has its name.
func TestFailedSaveLeavesNothingBehind(t *testing.T) {
	d := open(t, t.TempDir())
	if err := os.Mkdir(d.File("baton"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Save("baton", 1); err == nil || !strings.Contains(err.Error(), d.File("baton")) {
		t.Errorf("saved over a folder: %v", err)
	}
	if entries, err := os.ReadDir(d.path); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// writerFolder names, to this test when it is run again as a program, the folder that it writes in until it is killed.
// And the number that it begins with: each writer has higher ones than that before.
const (
	writerFolder = "TUGBOOT_STATEDIR_WRITER"
	writerStart  = "TUGBOOT_STATEDIR_START"
)

// TestKilledInMidWrite kills a process that saves without a pause, again and again, and reads what is there: always a
// whole document, and never an older one than the writer had said to be saved.
func TestKilledInMidWrite(t *testing.T) {
	if folder := os.Getenv(writerFolder); folder != "" {
		writeUntilKilled(t, folder)
		return
	}
	folder := t.TempDir()
	left := 0
	for round := range 40 {
		c := exec.Command(os.Args[0], "-test.run=^TestKilledInMidWrite$")
		c.Env = append(os.Environ(), writerFolder+"="+folder, writerStart+"="+strconv.Itoa(round*1_000_000))
		output, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		said, lines := -1, bufio.NewScanner(output)
		var deadline *time.Timer
		for lines.Scan() {
			if _, err := fmt.Sscanf(lines.Text(), "saved %d", &said); err == nil && deadline == nil {
				deadline = time.AfterFunc(time.Duration(round)*time.Millisecond, func() { c.Process.Kill() })
			}
		}
		if err := c.Wait(); err == nil || said < 0 {
			t.Fatalf("the writer ended by itself (%v) after it said %d", err, said)
		}
		unfinishedFiles, err := filepath.Glob(filepath.Join(folder, "*"+unfinished+"*"))
		if err != nil {
			t.Fatal(err)
		}
		left = len(unfinishedFiles)
		var got content
		if _, err := open(t, folder).Load("document", &got); err != nil || got.Number != got.Again || got.Number < said {
			t.Fatalf("round %d: loaded %d and %d (%v), the writer said it had saved %d", round, got.Number, got.Again, err, said)
		}
	}
	if left == 0 {
		t.Fatal("no writer was ever killed in the middle of writing")
	}
	t.Logf("%d of 40 writers were killed in the middle of a file", left)
	d := open(t, folder)
	if err := d.clear(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("after clearing away: %v, %v, want the one document", entries, err)
	}
}

// writeUntilKilled saves documents of growing and shrinking sizes, and says the number of each once it is saved.
func writeUntilKilled(t *testing.T, folder string) {
	n, err := strconv.Atoi(os.Getenv(writerStart))
	for d := open(t, folder); err == nil; n++ {
		if err = d.Save("document", numbered(n)); err == nil {
			fmt.Println("saved", n)
		}
	}
	t.Fatal(err)
}
