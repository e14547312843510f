package stub

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os/exec"
)

//go:embed source/stub.c
var source []byte

// Build compiles the program as the file to.
func Build(ctx context.Context, to string) error {
	cc := exec.CommandContext(ctx, "gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-x", "c", "-o", to, "-")
	cc.Stdin = bytes.NewReader(source)
	if out, err := cc.CombinedOutput(); err != nil {
		return fmt.Errorf("compile the C stub: %w: install the packages gcc and libc6-dev: %s", err, out)
	}
	return nil
}
