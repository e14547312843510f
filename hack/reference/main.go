// Command reference writes docs/reference.md, the reference of all commands and flags, from the commands themselves.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: reference FILE.md")
		os.Exit(2)
	}
	var page strings.Builder
	page.WriteString("# Commands and flags\n\nMade from the code by `make generate`; `tugboot COMMAND --help` says the same.\n\n" +
		"Every command exits with 0 when it has done its work, 1 when it failed and 2 when it was used wrongly; one that looks at\n" +
		"something exits with 3 when that is not in order.\n")
	sections(&page, cli.NewRootCommand())
	if err := os.WriteFile(os.Args[1], []byte(page.String()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// sections writes the commands below c, each followed by its own.
func sections(page *strings.Builder, c *cobra.Command) {
	for _, command := range c.Commands() {
		if !command.Hidden && command.Name() != "help" && command.Name() != "completion" {
			section(page, command)
			sections(page, command)
		}
	}
}

func section(page *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(page, "\n## %s\n\n```\n%s\n```\n\n%s\n", c.CommandPath(), c.UseLine(), c.Long)
	if c.Example != "" {
		fmt.Fprintf(page, "\n```\n%s\n```\n", c.Example)
	}
	if c.HasParent() && c.Parent().HasParent() {
		fmt.Fprintf(page, "\nIt also has the flags of `%s`.\n", c.Parent().CommandPath())
	}
	if !hasOwn(c.LocalFlags()) {
		return
	}
	page.WriteString("\n| flag | default | meaning |\n|---|---|---|\n")
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(page, "| `%s` | %s | %s |\n", name, byDefault(f), strings.ReplaceAll(f.Usage, "|", "\\|"))
	})
}

// hasOwn reports whether a table of these flags would have rows.
func hasOwn(flags *pflag.FlagSet) bool {
	own := false
	flags.VisitAll(func(f *pflag.Flag) { own = own || !f.Hidden && f.Name != "help" })
	return own
}

func byDefault(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "[]", "false", "0":
		return ""
	}
	return "`" + strings.Trim(f.DefValue, "[]") + "`"
}
