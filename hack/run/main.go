package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/tugboot/tugboot/test/lab"
)

const usage = `use it like this:
  lab run  [--machine KIND] [--takeover] [--once] [--root DIR] --assets DIR   make a site and boot a machine in it
  lab boot [--root DIR] KIND [NAME|MAC]                                       boot another machine in the running site

KIND is bios, bios-chain, uefi, uefi-http or arm64`

// settings are what the command line says.
type settings struct {
	root, assets string
	kind         lab.Kind
	machine      string // name or MAC; empty for the kind's own example
	once         bool
	takeover     bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\nlab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no command; %s", usage)
	}
	s, err := parse(args[0], args[1:])
	if err != nil {
		return err
	}
	if args[0] == "boot" {
		return askToBoot(ctx, s, os.Stdout)
	}
	if s.takeover {
		return showTakeover(ctx, s, os.Stdout)
	}
	return hold(ctx, s, os.Stdout)
}

// parse reads the command line of the command name.
func parse(name string, args []string) (s settings, err error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprintln(flags.Output(), usage) }
	flags.StringVar(&s.root, "root", ".", "folder of the checkout")
	kind := string(lab.BIOS)
	switch name {
	case "run":
		flags.StringVar(&kind, "machine", kind, "kind of the first machine")
		flags.StringVar(&s.assets, "assets", "", "folder with etcd, kube-apiserver and kubectl")
		flags.BoolVar(&s.once, "once", false, "end after the timeline")
		flags.BoolVar(&s.takeover, "takeover", false, "make two clusters and show the takeover")
	case "boot":
	default:
		return s, fmt.Errorf("%q: no such command; %s", name, usage)
	}
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if name == "boot" {
		if flags.NArg() < 1 || flags.NArg() > 2 {
			return s, fmt.Errorf("boot takes a kind and at most one name or MAC; %s", usage)
		}
		kind, s.machine = flags.Arg(0), flags.Arg(1)
	}
	s.kind, err = lab.ParseKind(kind)
	return s, err
}
