// Chart writes the README of Tugboot's chart from the comments in its values.yaml.
package main

import (
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

const begin = `# Tugboot's chart

<!-- Made by make generate from values.yaml; do not edit. -->

` + "```sh" + `
helm install tugboot charts/tugboot --namespace eksa-system --values examples/values-management.yaml
` + "```" + `

[docs/install.md](../../docs/install.md) tells what to install where, and what is in the way of it. The values are checked against
values.schema.json: one that is misspelt is refused by name.

What it makes: a Deployment or DaemonSet whose pods are on the node's network, with two capabilities and a read-only root filesystem; an
account with the rights of ` + "`config/rbac`" + ` and no others; the CRDs, which outlive an uninstall. Another tool's CRD of Hardware is left alone.

| value | default | meaning |
|---|---|---|
`

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: chart VALUES.yaml README.md")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(values, readme string) error {
	text, err := os.ReadFile(values)
	if err != nil {
		return err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("%s: %w", values, err)
	}
	var table strings.Builder
	table.WriteString(begin)
	if err := rows(&table, "", document.Content[0], ""); err != nil {
		return fmt.Errorf("%s: %w", values, err)
	}
	return os.WriteFile(readme, []byte(table.String()), 0o644)
}

// rows writes a row for each value below a mapping. One without a comment goes with the one before it.
func rows(table *strings.Builder, path string, mapping *yaml.Node, said string) error {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		name := path + key.Value
		if comment := words(key.HeadComment); comment != "" {
			said = comment
		}
		if value.Kind == yaml.MappingNode && value.Style&yaml.FlowStyle == 0 {
			if err := rows(table, name+".", value, said); err != nil {
				return err
			}
			continue
		}
		if said == "" {
			return fmt.Errorf("line %d: %s has no comment: say what it is", key.Line, name)
		}
		usual, err := flow(value)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "| `%s` | `%s` | %s |\n", name, usual, strings.ReplaceAll(said, "|", `\|`))
	}
	return nil
}

// words are those of a comment, on one line.
func words(comment string) string {
	var all []string
	for line := range strings.Lines(comment) {
		all = append(all, strings.Fields(strings.TrimLeft(line, "# "))...)
	}
	return strings.Join(all, " ")
}

// flow writes a value on one line.
func flow(value *yaml.Node) (string, error) {
	bare := *value
	bare.HeadComment, bare.LineComment, bare.FootComment, bare.Style = "", "", "", value.Style|yaml.FlowStyle
	text, err := yaml.Marshal(&bare)
	return strings.Join(strings.Fields(string(text)), " "), err
}
