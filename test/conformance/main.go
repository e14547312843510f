package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/tugboot/tugboot/test/conformance/rows"
	"github.com/tugboot/tugboot/test/conformance/wire"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		code = 2
	}
	os.Exit(code)
}

// options are the command line.
type options struct {
	target rows.Target
	output string
	only   string
	group  string
	strict bool
}

// run returns 1 when --strict was given and a row that is a MUST failed.
func run(ctx context.Context, args []string, out, progress io.Writer) (code int, err error) {
	o, err := parse(args, progress)
	if errors.Is(err, flag.ErrHelp) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	client, err := rows.Open(ctx, o.target)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	report, err := judge(ctx, client, o.group, o.only, func(l line) { fmt.Fprintf(progress, "%-6s %s\n", l.Result, l.ID) })
	if err != nil {
		return 0, err
	}
	if err := report.print(out, o.output); err != nil {
		return 0, err
	}
	if o.strict && report.violated() {
		return 1, nil
	}
	return 0, nil
}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	var server string
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.StringVar(&server, "server", "", "the server's IPv4 `ADDRESS` on the interface's network")
	flags.StringVar(&o.target.Interface, "interface", "", "the `INTERFACE` of this host to ask on; it needs an IPv4 address")
	flags.Func("known", "`MAC=ADDRESS` of a machine with a reservation, none that is in use; may be given again. The last one on the "+
		"interface's network declines its address at the end", func(text string) error {
		m, err := machine(text)
		o.target.Known = append(o.target.Known, m)
		return err
	})
	flags.StringVar(&o.target.TFTPFile, "tftp-file", "", "the `NAME` of a file that the server has, best of 512 KiB to 4 MiB; without it no TFTP is asked")
	flags.StringVar(&o.target.UserClass, "user-class", "Tinkerbell", "the user class `NAME` that has a boot file of its own")
	flags.DurationVar(&o.target.Patience, "patience", 3*time.Second, "how long an answer is waited for before a question is repeated once")
	flags.StringVar(&o.output, "o", "text", "the `FORMAT` of the table: text, json or markdown")
	flags.StringVar(&o.only, "only", "", "only rows whose ID contains this `TEXT`")
	flags.StringVar(&o.group, "group", "", "only rows of the protocol of this `NAME`, such as TFTP")
	flags.BoolVar(&o.strict, "strict", false, "exit with 1 when a MUST is violated")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.target.Server, err = netip.ParseAddr(server); err != nil || !o.target.Server.Is4() {
		return o, fmt.Errorf("--server %q: give the server's IPv4 address", server)
	}
	switch {
	case o.target.Interface == "":
		return o, errors.New("--interface is missing: name the interface to ask on, as `ip link` shows it")
	case len(o.target.Known) == 0:
		return o, errors.New("--known is missing: name a machine that the server has a reservation for, such as 52:54:00:00:00:01=192.0.2.21")
	case len(flags.Args()) > 0:
		return o, fmt.Errorf("%q is no flag: see --help", flags.Arg(0))
	}
	return o, errors.Join(checkFormat(o.output), checkGroup(o.group))
}

// machine reads MAC=ADDRESS.
func machine(text string) (rows.Machine, error) {
	mac, address, _ := strings.Cut(text, "=")
	hardware, err := net.ParseMAC(mac)
	if err != nil || len(hardware) != len(wire.MAC{}) {
		return rows.Machine{}, fmt.Errorf("%q is no Ethernet MAC: write MAC=ADDRESS", mac)
	}
	a, err := netip.ParseAddr(address)
	if err != nil || !a.Is4() {
		return rows.Machine{}, fmt.Errorf("%q is no IPv4 address: write MAC=ADDRESS", address)
	}
	return rows.Machine{MAC: wire.MAC(hardware), Addr: a}, nil
}
