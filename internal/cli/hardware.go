package cli

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/validate/content"

	"github.com/tugboot/tugboot/internal/hardwarecsv"
)

// hardwareOptions are the flags of `tugboot hardware`.
type hardwareOptions struct {
	namespace, tinkerbellIP, bootstrapIP string
}

func newHardwareCommand() *cobra.Command {
	var o hardwareOptions
	c := &cobra.Command{
		Use:   "hardware FILE.csv",
		Short: "Turn a hardware.csv into Hardware objects",
		Long: "Hardware reads EKS Anywhere's hardware.csv and prints the objects for kubectl apply: for each row a Hardware, and with\n" +
			"BMC columns the BMC's Machine and the Secret with its password. FILE - is the standard input.\n\n" +
			"When anything is wrong, every problem of every row is printed to standard error as file:line: column: problem, nothing\n" +
			"to standard output, and the exit code is 1.",
		Example: "  tugboot hardware hardware.csv | kubectl apply -f -\n" +
			"  tugboot hardware --tinkerbell-ip 192.168.2.112 hardware.csv > hardware.yaml",
		Args: exactArgs(1, "the name of one file, or - for the standard input"),
		RunE: func(c *cobra.Command, args []string) error {
			parse, err := o.validate()
			if err != nil {
				return usageError(err)
			}
			return convertHardware(c, args[0], o.namespace, parse)
		},
	}
	c.Flags().StringVarP(&o.namespace, "namespace", "n", hardwarecsv.DefaultNamespace, "namespace of the objects")
	c.Flags().StringVar(&o.tinkerbellIP, "tinkerbell-ip", "", "tinkerbellIP of the management cluster: no machine may have it")
	c.Flags().StringVar(&o.bootstrapIP, "bootstrap-ip", "", "address of the bootstrap cluster: no machine may have it")
	return c
}

// validate reports everything that is wrong with the flags.
func (o hardwareOptions) validate() (hardwarecsv.Options, error) {
	var parse hardwarecsv.Options
	var problems []error
	if complaints := content.IsDNS1123Label(o.namespace); len(complaints) > 0 {
		problems = append(problems, fmt.Errorf("--namespace %q: is not the name of a namespace: %s", o.namespace, strings.Join(complaints, "; ")))
	}
	for _, flag := range []struct {
		name, value string
		addr        *netip.Addr
	}{{"--tinkerbell-ip", o.tinkerbellIP, &parse.TinkerbellIP}, {"--bootstrap-ip", o.bootstrapIP, &parse.BootstrapIP}} {
		if flag.value == "" {
			continue
		}
		addr, err := netip.ParseAddr(flag.value)
		if err != nil || addr.Zone() != "" {
			problems = append(problems, fmt.Errorf("%s %q: is not an IP address: write it like 192.168.2.112", flag.name, flag.value))
			continue
		}
		*flag.addr = addr
	}
	return parse, errors.Join(problems...)
}

func convertHardware(c *cobra.Command, name, namespace string, o hardwarecsv.Options) error {
	text, shown, err := readHardware(c.InOrStdin(), name)
	if err != nil {
		return err
	}
	result := hardwarecsv.Parse(text, o)
	if len(result.Problems) > 0 {
		lines := make([]error, 0, len(result.Problems))
		for _, p := range result.Problems {
			lines = append(lines, fmt.Errorf("%s:%s", shown, p))
		}
		return listingError(errors.Join(lines...))
	}
	objects := make([]hardwarecsv.Objects, 0, len(result.Rows))
	for _, row := range result.Rows {
		objects = append(objects, row.Objects(namespace))
	}
	if err := hardwarecsv.Write(c.OutOrStdout(), objects); err != nil {
		return fmt.Errorf("write the objects of %s: %w", shown, err)
	}
	for _, n := range result.Notes {
		c.PrintErrf("%s:%d: %s: note: %s\n", shown, n.Line, n.Column, n.Text)
	}
	if len(objects) == 0 {
		c.PrintErrf("%s: note: no machines below the header, so there are no objects\n", shown)
	}
	return nil
}

// readHardware reads the file, one byte beyond the limit at most, so that Parse can say that it is too large. shown is
// the file's name as messages have it.
func readHardware(stdin io.Reader, name string) (text []byte, shown string, err error) {
	source, shown := stdin, "stdin"
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, "", fmt.Errorf("hardware file: %w: give the path of a hardware.csv", err)
		}
		defer file.Close()
		source, shown = file, printableName(name)
	}
	text, err = io.ReadAll(io.LimitReader(source, hardwarecsv.MaxSize+1))
	if err != nil {
		return nil, "", fmt.Errorf("hardware file: %w: give the path of a hardware.csv", err)
	}
	return text, shown, nil
}

// printableName is a file name as messages show it: as it is, or quoted where it could not be printed.
func printableName(name string) string {
	if quoted := fmt.Sprintf("%q", name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}
