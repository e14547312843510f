package rows

import (
	"net/http"
	"strings"
)

// pathRows are about the paths at which Tinkerbell sites look for scripts and binaries. Only a server that gives HTTP boot a URL
// under /ipxe/ claims to be one of those.
func pathRows() []Row {
	script := func(_ *http.Response, body []byte) bool { return strings.HasPrefix(string(body), "#!ipxe") }
	binary := func(r *http.Response, body []byte) bool { return !script(r, body) && len(body) > 1000 }
	row := func(id, rule, path string, right func(*http.Response, []byte) bool) Row {
		return Row{"tinkerbell-" + id, "Tinkerbell", Should, rule, func(c *Client) Verdict {
			u, ok := c.site()
			if !ok || !strings.HasPrefix(u.Path, "/ipxe/") {
				return notApplicable("HTTP boot is given no URL under /ipxe/")
			}
			name := u.Path[strings.LastIndex(u.Path, "/")+1:]
			asking := c.main()
			if c.self != nil {
				asking = *c.self
			}
			mac := asking.MAC.String()
			u.Path = strings.NewReplacer("MAC", mac, "DASHED", strings.ReplaceAll(strings.ToUpper(mac), ":", "-"), "FILE", name).Replace(path)
			return c.fetch("GET", u.String(), nil, func(r *http.Response, body []byte) Verdict {
				return judged(r.StatusCode == http.StatusOK && right(r, body), "%s: %s, %d bytes", u.Path, r.Status, len(body))
			})
		}}
	}
	return []Row{
		row("script-mac", "/MAC/auto.ipxe is the machine's script.", "/MAC/auto.ipxe", script),
		row("script-dashed", "The MAC may have dashes and capitals.", "/DASHED/auto.ipxe", script),
		row("script-long", "/ipxe/script/MAC/auto.ipxe is the script too.", "/ipxe/script/MAC/auto.ipxe", script),
		{"tinkerbell-script-private", "Tinkerbell", May, "Another host, which asks from another address, is not given the script.", otherScript},
		row("binary", "/ipxe/binary/FILE is the binary.", "/ipxe/binary/FILE", binary),
		row("binary-mac", "/ipxe/binary/MAC/FILE is the binary.", "/ipxe/binary/MAC/FILE", binary),
		row("binary-ipxe", "/ipxe/FILE is the binary.", "/ipxe/FILE", binary),
		row("binary-root", "/FILE is the binary.", "/FILE", binary),
		row("autoexec", "autoexec.ipxe, which stock iPXE looks for beside its binary, is there.", "/ipxe/binary/autoexec.ipxe", script),
	}
}

// otherScript asks from this host's address for the main machine's script.
func otherScript(c *Client) Verdict {
	u, ok := c.site()
	if !ok || !strings.HasPrefix(u.Path, "/ipxe/") {
		return notApplicable("HTTP boot is given no URL under /ipxe/")
	}
	u.Path = "/" + c.main().MAC.String() + "/auto.ipxe"
	return c.fetch("GET", u.String(), nil, func(r *http.Response, body []byte) Verdict {
		return judged(r.StatusCode >= http.StatusBadRequest, "%s: %s, %d bytes", u.Path, r.Status, len(body))
	})
}
