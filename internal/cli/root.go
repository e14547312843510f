package cli

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// NewRootCommand returns the command tugboot with all its subcommands.
func NewRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "tugboot",
		Short: "Network-boot bare-metal machines from Kubernetes Hardware objects",
		Long: "Tugboot network-boots bare-metal machines from Kubernetes Hardware objects: it answers DHCP with fixed addresses,\n" +
			"serves the boot files by TFTP and HTTP, writes each machine's iPXE script and receives its syslog.",
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError(err) })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newServeCommand(), newDoctorCommand(), newHardwareCommand(), newTimelineCommand(), newTakeoverCommand(), newRenderCommand(),
		newProbeCommand(), newLintCommand(), newImportCommand(), newAgentCommand(),
	)
	return root
}

// Run runs the command line args and returns its exit code. SIGINT and SIGTERM end it in order; a second one at once.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	root := NewRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, errorText(err))
	return exitCode(err)
}

// version is the module's version as the Go toolchain stamped it from the tag or commit, and the Go version.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return build.Main.Version + " " + build.GoVersion
}
