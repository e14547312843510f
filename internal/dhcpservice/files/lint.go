package files

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/tugboot/tugboot/internal/dhcpconf/disk"
	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/lint"
	"github.com/tugboot/tugboot/internal/render"
)

// findings are what lint finds in the operator's configuration as it would be with the files live in the folder; nil for
// those that are there. It looks at what the daemon's own checker does not: that of dnsmasq reads no hosts file.
func (d *Driver) findings(ctx context.Context, live []render.File) []lint.Finding {
	o := d.options
	if o.Main == "" {
		return nil
	}
	text, err := disk.Read(o.Main)
	if err != nil {
		return []lint.Finding{lint.Unreadable(o.Language.Daemon, o.Main, err)}
	}
	over := map[string]string{}
	for _, f := range live {
		over[filepath.Join(o.Folder, f.Name)] = f.Text
	}
	return lint.Check(o.Language.Daemon, o.Main, text, disk.Reader(filepath.Dir(o.Main), over), lint.Options{DnsmasqVersion: d.dnsmasqVersion(ctx)})
}

// dnsmasqVersion is the daemon's version as rules go by it; empty when it is not known, or the daemon another.
func (d *Driver) dnsmasqVersion(ctx context.Context) string {
	if d.options.Language.Daemon != lint.Dnsmasq {
		return ""
	}
	said, err := d.Version(ctx)
	if err != nil {
		return "" // a finding says that it is not known, where it matters
	}
	return lint.DnsmasqVersion(said)
}

// harmless is the error of a configuration in which live must not stand.
func (d *Driver) harmless(ctx context.Context, live []render.File) error {
	if err := dhcpservice.Stopping(d.findings(ctx, live)); err != nil {
		return fmt.Errorf("nothing is written while this stands in the configuration: %w", err)
	}
	return nil
}
