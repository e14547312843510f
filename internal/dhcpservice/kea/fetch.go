package kea

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/tugboot/tugboot/internal/lint"
)

// Configuration returns the configuration that the server runs with, as indented JSON with Dhcp4 at the top. It holds what
// the server filled in as well.
func (d *Driver) Configuration(ctx context.Context) (string, error) {
	arguments, _, err := d.channel.do(ctx, "config-get", nil)
	if err != nil {
		return "", err
	}
	return indented(arguments)
}

func indented(arguments json.RawMessage) (string, error) {
	var text bytes.Buffer
	if err := json.Indent(&text, arguments, "", "  "); err != nil {
		return "", fmt.Errorf("config-get: %w: this is not Kea's control channel", err)
	}
	return text.String(), nil
}

// findings are what lint finds in the configuration; places are those in the text that Configuration returns.
func (d *Driver) findings(c *config) []lint.Finding {
	const name = "config-get"
	text, err := indented(c.told)
	if err != nil {
		return []lint.Finding{lint.Unreadable(lint.Kea, name, err)}
	}
	return lint.Check(lint.Kea, name, text, nil, lint.Options{Disable: d.disable})
}
