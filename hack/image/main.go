package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	libcap "kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/tugboot/tugboot/internal/capability"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

func run(args []string, stderr io.Writer) int {
	root := &cobra.Command{Use: "image", Short: "Make Tugboot's container image", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(archiveCommand(), licensesCommand(), sbomCommand(), rootsCommand(), setcapCommand())
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		fmt.Fprintln(stderr, "image:", err)
		return 1
	}
	return 0
}

func archiveCommand() *cobra.Command {
	var spec archiveSpec
	c := &cobra.Command{
		Use:   "archive --output FILE.tar PLATFORM=ROOT ...",
		Short: "Pack file systems, such as linux/amd64=build/image/amd64, into an OCI archive",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, roots []string) error {
			return writeArchive(&spec, roots)
		},
	}
	c.Flags().StringVar(&spec.Output, "output", "", "the archive to write")
	c.Flags().StringVar(&spec.Name, "name", "", "the image's name with its tag")
	c.Flags().StringVar(&spec.Version, "version", "", "for the label org.opencontainers.image.version")
	c.Flags().StringVar(&spec.Revision, "revision", "", "for the label org.opencontainers.image.revision")
	c.Flags().Int64Var(&spec.Epoch, "epoch", 0, "the time of every file, and when the image was made, in seconds since 1970")
	return c
}

func licensesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "licenses PROGRAM FOLDER",
		Short: "Copy the licences of Go and of all modules that a Go program is linked with",
		Args:  cobra.ExactArgs(2),
		RunE:  func(c *cobra.Command, args []string) error { return collectLicenses(c.Context(), args[0], args[1]) },
	}
}

func sbomCommand() *cobra.Command {
	var ipxe component
	c := &cobra.Command{
		Use:   "sbom FILE.cdx.json",
		Short: "Add iPXE to a CycloneDX bill of materials",
		Args:  cobra.ExactArgs(1),
		RunE:  func(_ *cobra.Command, args []string) error { return addToSBOM(args[0], ipxe) },
	}
	c.Flags().StringVar(&ipxe.Version, "ipxe-version", "", "the version of Debian's package ipxe")
	c.Flags().StringVar(&ipxe.SHA256, "ipxe-sha256", "", "the SHA-256 of the package's file")
	return c
}

func rootsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "roots FILE.pem",
		Short: "Write the public certificate authorities that Mozilla trusts without reserve",
		Args:  cobra.ExactArgs(1),
		RunE:  func(_ *cobra.Command, args []string) error { return writeRoots(args[0]) },
	}
}

func setcapCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "setcap PROGRAM",
		Short: "Give a file the capabilities that the archive gives the program, as root",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			set := libcap.NewSet()
			if err := set.SetFlag(libcap.Permitted, true, capability.Serving()...); err != nil {
				return err
			}
			if err := set.SetFile(args[0]); err != nil {
				return fmt.Errorf("file capabilities of %s: %w: run as root", args[0], err)
			}
			return nil
		},
	}
}
