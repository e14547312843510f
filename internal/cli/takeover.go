package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/validate/content"
)

// takeoverOptions are the flags that all of `tugboot takeover` have.
type takeoverOptions struct {
	namespace, kubeconfig, output string
}

// takeoverNamespace is where EKS Anywhere keeps what belongs to a cluster.
const takeoverNamespace = "eksa-system"

func newTakeoverCommand() *cobra.Command {
	o := &takeoverOptions{}
	c := &cobra.Command{
		Use:   "takeover",
		Short: "Show and steer how a management cluster takes over from its bootstrap cluster",
		Long: "Takeover shows how the takeover of a cluster stands, and gives a person the last word on it. It reads a Takeover\n" +
			"object and sets annotations on it; a `tugboot serve --takeover-namespace` must run there to act on them. NAME may be\n" +
			"left out when the namespace holds one Takeover.\n\n" +
			"Exit codes: 0 done; 1 failed; 2 used wrongly, or --yes is missing; 3 not Ready (status), or gates not open (plan).",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.PersistentFlags().StringVarP(&o.namespace, "namespace", "n", takeoverNamespace, "namespace of the Takeover")
	c.PersistentFlags().StringVar(&o.kubeconfig, "kubeconfig", "",
		"kubeconfig file of the cluster; by default what kubectl uses, or the cluster this runs in")
	c.PersistentFlags().StringVarP(&o.output, "output", "o", "table", "table or json")
	c.AddCommand(newTakeoverStatusCommand(o), newTakeoverPlanCommand(o), newTakeoverNowCommand(o), newTakeoverFreezeCommand(o),
		newTakeoverOverrideCommand(o), newTakeoverRollbackCommand(o))
	return c
}

// validate reports what is wrong with the flags.
func (o *takeoverOptions) validate() error {
	if o.output != "table" && o.output != "json" {
		return usageError(fmt.Errorf("--output %q: no such format: use table or json", o.output))
	}
	if complaints := content.IsDNS1123Label(o.namespace); len(complaints) > 0 {
		return usageError(fmt.Errorf("--namespace %q: is not the name of a namespace: %s", o.namespace, strings.Join(complaints, "; ")))
	}
	return nil
}

// find reads the Takeover of that name, or the only one when name is empty.
func (o *takeoverOptions) find(c *cobra.Command, name string) (*takeoverAPI, takeoverView, error) {
	if err := o.validate(); err != nil {
		return nil, takeoverView{}, err
	}
	if complaints := content.IsDNS1123Subdomain(name); name != "" && len(complaints) > 0 {
		return nil, takeoverView{}, usageError(fmt.Errorf("%q: is not the name of a Takeover: %s", name, strings.Join(complaints, "; ")))
	}
	api, err := newTakeoverAPI(o.kubeconfig, o.namespace)
	if err != nil {
		return nil, takeoverView{}, err
	}
	t, err := api.find(c.Context(), name)
	if err != nil {
		return nil, takeoverView{}, err
	}
	return api, viewOf(t), nil
}

// print writes v as JSON, or what table writes.
func (o *takeoverOptions) print(w io.Writer, v any, table func(io.Writer) error) error {
	if o.output == "table" {
		return table(w)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// optionalName accepts the name of a Takeover or nothing.
func optionalName(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError(fmt.Errorf("%s: %d arguments where it takes at most one: give the name of one Takeover", c.CommandPath(), len(args)))
	}
	return nil
}

// nameIn is the first argument, or "".
func nameIn(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
