package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/bench/results"
	"github.com/tugboot/tugboot/test/bench/stub"
)

// prepare compiles the stub and makes the files that are served.
func (o options) prepare(ctx context.Context, p plan) (programs contender.Programs, err error) {
	programs = contender.Programs{Tugboot: filepath.Join(o.root, "bin", "tugboot"), Bench: o.own,
		Stub: filepath.Join(o.folder, "stub"), TFTP: o.tftp}
	if _, err := os.Stat(programs.Tugboot); err != nil {
		return programs, fmt.Errorf("%w: run make build", err)
	}
	files := filepath.Join(o.folder, "files")
	if err := os.MkdirAll(files, 0o755); err != nil {
		return programs, err
	}
	binary, err := os.ReadFile(filepath.Join(o.root, "build", "ipxe", fleet.BootFile))
	if err != nil {
		return programs, fmt.Errorf("%w: run make ipxe", err)
	}
	script := "#!ipxe\n" + strings.Repeat("echo a script of the length that Tugboot's has\n", 40)
	return programs, errors.Join(
		stub.Build(ctx, programs.Stub),
		os.WriteFile(filepath.Join(files, fleet.BootFile), binary, 0o644),
		os.WriteFile(filepath.Join(files, contender.ScriptFile), []byte(script), 0o644),
		os.WriteFile(filepath.Join(files, contender.KernelFile), binary, 0o644),
		noise(filepath.Join(files, contender.InitrdFile), p.initrd))
}

// noise makes a file of that many bytes that are the same in every run and compress to nothing, unless it is there.
func noise(path string, size int64) (err error) {
	if stat, err := os.Stat(path); err == nil && stat.Size() == size {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = io.CopyN(file, rand.NewChaCha8([32]byte{7}), size)
	return err
}

// describe says what the results are results of.
func describe(p plan, programs contender.Programs) (results.Run, error) {
	program, err := os.ReadFile(programs.Tugboot)
	if err != nil {
		return results.Run{}, err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return results.Run{}, err
	}
	kernel := unix.ByteSliceToString(name.Release[:])
	machine := []string{
		fmt.Sprintf("%d cores: %s", runtime.NumCPU(), field("/proc/cpuinfo", "model name")),
		"memory: " + field("/proc/meminfo", "MemTotal"),
		"Linux " + kernel + ", " + strings.Trim(field("/etc/os-release", "PRETTY_NAME"), `"`),
		runtime.Version(),
	}
	return results.Run{Begun: time.Now().Format(time.DateOnly), Machine: machine, Settings: map[string]string{
		"plan": p.name, "rounds": fmt.Sprint(p.rounds), "tugboot": fmt.Sprintf("%x", sha256.Sum256(program)), "kernel": kernel,
	}}, nil
}

// field returns what follows a name and a colon or an equals sign in a file of such lines; "unknown" when nothing does.
func field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name); found {
			return strings.TrimLeft(strings.TrimSpace(rest), ":= \t")
		}
	}
	return "unknown"
}

// version is the first line of what a command says, such as nginx's to standard error.
func version(ctx context.Context, args []string) string {
	if len(args) == 0 {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil && line == "" {
		return "not installed"
	}
	line, _, _ = strings.Cut(line, "  Copyright")
	return line
}
