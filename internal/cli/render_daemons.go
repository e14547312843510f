package cli

import (
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/dnsmasq"
	"github.com/tugboot/tugboot/internal/render/isc"
	"github.com/tugboot/tugboot/internal/render/kea"
	"github.com/tugboot/tugboot/internal/render/microsoft"
)

// renderer turns what a service is to say into its language.
type renderer func(render.Wanted) (render.Output, error)

// daemons are the kinds of existing DHCP services, in the order in which messages name them.
var daemons = []struct {
	name   string
	render renderer
}{
	{"kea", kea.Render},
	{"dnsmasq", dnsmasq.Render},
	{"isc", isc.Render},
	{"microsoft", microsoft.Render},
}

func daemonNames() []string {
	var names []string
	for _, d := range daemons {
		names = append(names, d.name)
	}
	return names
}

func rendererOf(name string) (renderer, bool) {
	for _, d := range daemons {
		if d.name == name {
			return d.render, true
		}
	}
	return nil, false
}
