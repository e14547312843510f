package kea

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

// Configuration returns the configuration that the server runs with, as indented JSON with Dhcp4 at the top. It holds what
// the server filled in as well.
func (d *Driver) Configuration(ctx context.Context) (string, error) {
	arguments, _, err := d.channel.do(ctx, "config-get", nil)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	if err := json.Indent(&text, arguments, "", "  "); err != nil {
		return "", fmt.Errorf("config-get: %w: this is not Kea's control channel", err)
	}
	return text.String(), nil
}
