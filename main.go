// Tugboot network-boots bare-metal machines from Kubernetes Hardware objects.
package main

import (
	"os"

	"github.com/tugboot/tugboot/internal/cli"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
