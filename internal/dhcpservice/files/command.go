package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// The bounds of what a command says: what is kept of it, and what stands in an error, in bytes.
const (
	maxOutput = 16 << 10
	maxQuoted = 1200
)

// drain is how long the output of a command is waited for when it has ended and something that it started has not.
const drain = 500 * time.Millisecond

// run runs a command and returns what it said, at most maxOutput bytes; what is its name in errors. A command that takes
// longer than it may is killed, and whatever it started with it.
func (d *Driver) run(ctx context.Context, what string, argv []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, d.options.Timeout)
	defer cancel()
	var said bounded
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the operator's own command, and no shell looks at it
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = drain
	err := cmd.Run()
	text := said.String()
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil:
		return text, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return text, fmt.Errorf("%s: %s: it took longer than %s and was killed; it said %s", what, quoteArgs(argv), d.options.Timeout, quote(text))
	case ctx.Err() != nil:
		return text, fmt.Errorf("%s: %s: %w", what, quoteArgs(argv), ctx.Err())
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return text, fmt.Errorf("%s: %s: %w; it said %s", what, quoteArgs(argv), err, quote(text))
	}
	return text, fmt.Errorf("%s: %s: %w: give a program that this process may run", what, quoteArgs(argv), err)
}

// reload has the daemon read its files, and waits until it was seen to run twice in a row: one that dies of what it has
// read is still there for a moment.
func (d *Driver) reload(ctx context.Context) error {
	d.reloaded = true
	if _, err := d.run(ctx, "reload", d.options.Reload); err != nil {
		return err
	}
	if len(d.options.Alive) == 0 {
		return nil
	}
	end := time.Now().Add(d.patience)
	for seen := 0; ; {
		_, err := d.run(ctx, "alive", d.options.Alive)
		if err == nil {
			seen++
		} else {
			seen = 0
		}
		switch {
		case seen == 2:
			return nil
		case err != nil && !time.Now().Before(end):
			return fmt.Errorf("the daemon died on reload, or did not start within %s: look into its log: %w", d.patience, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the daemon after reload: %w", ctx.Err())
		case <-time.After(d.pause):
		}
	}
}

// bounded keeps the first maxOutput bytes that are written to it.
type bounded struct{ kept bytes.Buffer }

// Write takes all of p, and keeps what there is room for.
func (b *bounded) Write(p []byte) (int, error) {
	b.kept.Write(p[:min(len(p), maxOutput-b.kept.Len())])
	return len(p), nil
}

func (b *bounded) String() string { return b.kept.String() }

// quote makes one line of what a command said: the beginning of it, with what ends a line or a string escaped.
func quote(said string) string {
	said = strings.TrimSpace(said)
	if said == "" {
		return "nothing"
	}
	if len(said) > maxQuoted {
		return fmt.Sprintf("%+q and more", said[:maxQuoted])
	}
	return fmt.Sprintf("%+q", said)
}

// quoteArgs is a command as errors name it.
func quoteArgs(argv []string) string { return fmt.Sprintf("%+.200q", strings.Join(argv, " ")) }

// firstLine is the first line that holds something, without what cannot be printed, at most 120 runes.
func firstLine(said string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	line = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, line)
	if runes := []rune(line); len(runes) > 120 {
		return string(runes[:120])
	}
	return line
}
