package ipxe

import (
	_ "embed" // the scripts' texts
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"text/template"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// maxCommandLine is the longest kernel command line that x86-64 and arm64 Linux keep, in bytes; the rest would be cut
// off in silence.
const maxCommandLine = 2047

// The templates take checked values only and are never changed.
var (
	//go:embed auto.ipxe.tmpl
	autoText string
	//go:embed chain.ipxe.tmpl
	chainText string
	//go:embed autoexec.ipxe
	autoexecText string

	autoTemplate  = template.Must(template.New(scriptName).Option("missingkey=error").Parse(autoText))
	chainTemplate = template.Must(template.New("chain.ipxe").Option("missingkey=error").Parse(chainText))
)

// auto are the values of auto.ipxe.
type auto struct {
	MAC                  reservation.MAC
	Syslog               netip.Addr
	Base, Kernel, Initrd string
	Arguments            []string
	// Verify has the script start nothing but signed images.
	Verify bool
}

// render writes the script of the machine r, which asks the endpoint e for it; d is Decide's word on that. It returns
// every value that may not stand in a script as a problem, and then no text.
func (o ScriptOptions) render(r *reservation.Reservation, e boot.Endpoint, d boot.Decision) (string, []reservation.Problem) {
	n := &r.Netboot
	switch {
	case d.Reason == boot.ReasonScriptOverride:
		c := checker{r: r}
		c.check(c.netboot("ipxe.url"), n.IPXEURL, checkURL(n.IPXEURL, false))
		return execute(chainTemplate, c.problems, struct {
			MAC    reservation.MAC
			Syslog netip.Addr
			URL    string
		}{r.MAC, o.syslog(e), n.IPXEURL})
	case n.IPXEContents != "":
		return asScript(n.IPXEContents), nil
	}
	values, problems := o.auto(r, e)
	return execute(autoTemplate, problems, values)
}

// execute fills in a template, unless there are problems. The templates are fixed and only read fields, so that a
// failure is a fault of this program, not of its input.
func execute(t *template.Template, problems []reservation.Problem, values any) (string, []reservation.Problem) {
	if len(problems) > 0 {
		return "", problems
	}
	var text strings.Builder
	if err := t.Execute(&text, values); err != nil {
		panic(fmt.Errorf("make the script %s: %w", t.Name(), err))
	}
	return text.String(), nil
}

// asScript gives a text the first line by which iPXE knows a script.
func asScript(text string) string {
	for _, magic := range []string{"#!ipxe", "#!gpxe"} {
		if rest, found := strings.CutPrefix(text, magic); found && rest != "" && strings.ContainsRune(" \t\r\n", rune(rest[0])) {
			return text
		}
	}
	return "#!ipxe\n" + text
}

// auto collects and checks the values of auto.ipxe.
func (o ScriptOptions) auto(r *reservation.Reservation, e boot.Endpoint) (auto, []reservation.Problem) {
	c, osie := checker{r: r}, r.Netboot.OSIE
	a := auto{
		MAC: r.MAC, Syslog: o.syslog(e), Base: o.base(e),
		Kernel: "vmlinuz-${arch}", Initrd: "initramfs-${arch}",
		Verify: o.VerifyImages,
	}
	if osie.BaseURL != "" {
		c.check(c.netboot("osie.baseURL"), osie.BaseURL, checkURL(osie.BaseURL, true))
		a.Base = osie.BaseURL
	}
	a.Base = strings.TrimRight(a.Base, "/")
	if osie.Kernel != "" {
		c.check(c.netboot("osie.kernel"), osie.Kernel, checkFile(osie.Kernel))
		a.Kernel = osie.Kernel
	}
	if osie.Initrd != "" {
		c.check(c.netboot("osie.initrd"), osie.Initrd, checkFile(osie.Initrd))
		a.Initrd = osie.Initrd
	}
	a.Arguments = o.arguments(&c, e)
	if n := len(strings.Join(a.Arguments, " ")); n > maxCommandLine {
		c.check(c.netboot("osie.kernelParams"), "", fmt.Sprintf(
			"the kernel command line is %d bytes long, Linux keeps %d: shorten it", n, maxCommandLine))
	}
	return a, c.problems
}

// arguments is the kernel command line that HookOS reads, one element an argument.
func (o ScriptOptions) arguments(c *checker, e boot.Endpoint) []string {
	n, mac := &c.r.Netboot, c.r.MAC.String()
	c.check("spec.metadata.facility.facility_code", n.Facility, checkWord(n.Facility))
	c.check("spec.agentID", c.r.AgentID, checkWord(c.r.AgentID))
	worker := c.r.AgentID
	if worker == "" {
		worker = mac
	}
	var args []string
	if c.r.VLAN != 0 {
		args = append(args, "vlan_id="+strconv.Itoa(int(c.r.VLAN)))
	}
	args = append(args,
		"facility="+n.Facility,
		"syslog_host="+o.syslog(e).String(),
		"grpc_authority="+o.tinkServer(e),
		"tinkerbell_tls="+strconv.FormatBool(o.TinkTLS),
		"tinkerbell_insecure_tls="+strconv.FormatBool(o.TinkInsecureTLS),
		"worker_id="+worker,
		"hw_addr="+mac,
		"modules=loop,squashfs,sd-mod,usb-storage",
		"intel_iommu=on",
		"iommu=pt",
		"initrd=initramfs-${arch}",
	)
	for _, console := range o.consoles() {
		args = append(args, "console="+console)
	}
	args = append(args, o.KernelArgs...)
	for i, entry := range n.OSIE.KernelParams {
		args = append(args, c.arguments(c.netboot("osie.kernelParams["+strconv.Itoa(i)+"]"), entry)...)
	}
	return args
}

// arguments splits one element of kernelParams, which may hold several arguments between spaces, as Tinkerbell has
// always taken it. It reports the element once, whatever the number of bad arguments in it.
func (c *checker) arguments(field, entry string) []string {
	args := strings.FieldsFunc(entry, func(r rune) bool { return r == ' ' })
	for _, arg := range args {
		if problem := checkWord(arg); problem != "" {
			c.check(field, entry, problem)
			return nil
		}
	}
	return args
}

// base is the URL of the folder with kernel and initrd, empty where nobody names one.
func (o ScriptOptions) base(e boot.Endpoint) string {
	if o.HookURL == "" && o.Images != nil {
		return e.HookURL()
	}
	return o.HookURL
}

func (o ScriptOptions) syslog(e boot.Endpoint) netip.Addr {
	if o.SyslogHost.IsValid() {
		return o.SyslogHost
	}
	return e.Addr
}

func (o ScriptOptions) tinkServer(e boot.Endpoint) string {
	if o.TinkServer != "" {
		return o.TinkServer
	}
	return netip.AddrPortFrom(e.Addr, DefaultTinkPort).String()
}

func (o ScriptOptions) consoles() []string {
	if o.Consoles != nil {
		return o.Consoles
	}
	return DefaultConsoles()
}

// checker collects the problems of one reservation's values.
type checker struct {
	r        *reservation.Reservation
	problems []reservation.Problem
}

func (c *checker) check(field, value, problem string) {
	if problem != "" {
		c.problems = append(c.problems, reservation.Problem{
			Source: c.r.Source, Reason: string(ReasonScriptValueRefused), Field: field, Value: value, Remedy: problem,
		})
	}
}

// netboot is the path of a field of the interface's netboot block.
func (c *checker) netboot(field string) string {
	return fmt.Sprintf("spec.interfaces[%d].netboot.%s", c.r.Source.Interface, field)
}
