package options

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/validate/content"

	"github.com/tugboot/tugboot/internal/hardwarecsv"
)

// Import are the flags of `tugboot import`.
type Import struct {
	Output, Namespace, Disk string
}

// AddFlags adds the flags to fs.
func (o *Import) AddFlags(fs *pflag.FlagSet) {
	fs.StringVarP(&o.Output, "output", "o", "csv", "what to print: csv (hardware.csv) or yaml (Hardware objects)")
	fs.StringVarP(&o.Namespace, "namespace", "n", hardwarecsv.DefaultNamespace, "namespace of the Hardware objects")
	fs.StringVar(&o.Disk, "disk", "", "disk of every machine, like /dev/sda: DHCP knows none")
}

var disk = regexp.MustCompile(`^(/dev/[\w-]+)+$`)

// Validate reports everything that is wrong with the flags.
func (o *Import) Validate() error {
	var problems []error
	if !slices.Contains([]string{"csv", "yaml"}, o.Output) {
		problems = append(problems, fmt.Errorf("--output %q: not known: give csv or yaml", o.Output))
	}
	if complaints := content.IsDNS1123Label(o.Namespace); len(complaints) > 0 {
		problems = append(problems, fmt.Errorf("--namespace %q: not the name of a namespace: write lower-case letters, digits and -", o.Namespace))
	}
	if o.Disk != "" && !disk.MatchString(o.Disk) {
		problems = append(problems, fmt.Errorf("--disk %q: not the path of a disk: write it like /dev/sda", o.Disk))
	}
	return errors.Join(problems...)
}
