package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	libcap "kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/capability"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/doctor"
	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/server/bind"
	"github.com/tugboot/tugboot/internal/server/dhcpd"
	"github.com/tugboot/tugboot/internal/server/tftpd"
)

// firstUnprivilegedPort is 1024 unless the host says otherwise.
func firstUnprivilegedPort() uint16 {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		return 1024
	}
	port, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 16)
	if err != nil {
		return 1024
	}
	return uint16(port)
}

// portsOf lists the ports that serve takes, in the order in which it does.
func portsOf(o *options.Serve) []doctor.Port {
	var all []doctor.Port
	if o.DHCP.Enabled() {
		devices := o.DHCP.Served()
		if len(devices) == 0 {
			devices = []string{""}
		}
		for _, d := range devices {
			all = append(all, doctor.Port{Server: "DHCP", Network: "udp", Device: d, At: netip.AddrPortFrom(netip.IPv4Unspecified(), dhcp4.ServerPort)})
		}
		for _, d := range o.DHCP.Modes.PXE(devices) {
			all = append(all, doctor.Port{Server: "DHCP", Network: "udp", Device: d, At: netip.AddrPortFrom(netip.IPv4Unspecified(), dhcp4.PXEPort)})
		}
	}
	add := func(server string, at []netip.AddrPort, networks ...string) {
		for _, a := range at {
			for _, n := range networks {
				all = append(all, doctor.Port{Server: server, Network: n, At: a})
			}
		}
	}
	add("TFTP", o.TFTP.Listen, "udp")
	add("HTTP", o.HTTP.Listen, "tcp")
	add("HTTPS", o.HTTP.ListenTLS, "tcp")
	add("syslog", o.Syslog.Listen, "udp", "tcp")
	for _, l := range []struct{ server, address string }{{"metrics", o.Process.MetricsAddress}, {"health", o.Process.HealthAddress}} {
		if at, err := options.ParseAddrPort(l.address); err == nil { // all but "off", for Validate has looked
			add(l.server, []netip.AddrPort{at}, "tcp")
		}
	}
	return all
}

// lookAtPorts takes every port as serve would, all at once, and gives them back.
func lookAtPorts(ctx context.Context, o *options.Serve) []doctor.Port {
	maySee, err := capability.Effective(libcap.SYS_PTRACE)
	maySee = maySee && err == nil
	var taken []io.Closer
	defer func() {
		for _, c := range taken {
			c.Close()
		}
	}()
	all := portsOf(o)
	for i := range all {
		p := &all[i]
		network, address := p.Network+"4", p.At.String()
		if p.At.Addr().IsUnspecified() && (p.Server == "metrics" || p.Server == "health") {
			network, address = p.Network, ":"+strconv.Itoa(int(p.At.Port())) // of both families, as the manager listens
		}
		c, err := bind.Take(ctx, network, p.Device, address)
		if err == nil {
			taken = append(taken, c)
			continue
		}
		p.Fault, p.Cause = faultOf(err)
		if p.Fault == doctor.Taken {
			p.MaySee, p.Usual = maySee, bind.Usual(p.At.Port())
			for _, h := range bind.Holders(p.Network, p.At.Port()) {
				p.Holders = append(p.Holders, doctor.Holder{PID: h.PID, Name: h.Name, Self: h.PID == os.Getpid()})
			}
		}
	}
	return all
}

func faultOf(err error) (doctor.Fault, string) {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return doctor.Refused, err.Error()
	}
	fault, known := map[syscall.Errno]doctor.Fault{
		unix.EADDRINUSE: doctor.Taken, unix.EACCES: doctor.NoRight, unix.EPERM: doctor.NoRight,
		unix.EADDRNOTAVAIL: doctor.NotLocal, unix.ENODEV: doctor.NoDevice,
	}[number]
	if !known {
		fault = doctor.Refused
	}
	return fault, number.Error()
}

// lookAtInterfaces lists the host's interfaces; one whose addresses are not to be had has none.
func lookAtInterfaces() []doctor.Interface {
	list, err := net.Interfaces()
	if err != nil {
		return nil // as localAddresses has said by now
	}
	var all []doctor.Interface
	for _, i := range list {
		found := doctor.Interface{
			Name: i.Name, Up: i.Flags&net.FlagUp != 0, Carrier: i.Flags&net.FlagRunning != 0,
			Loopback: i.Flags&net.FlagLoopback != 0, Inner: options.LeadsInside(i.Name),
		}
		addresses, err := i.Addrs()
		if err != nil {
			addresses = nil
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
				found.Prefixes = append(found.Prefixes, p)
			}
		}
		all = append(all, found)
	}
	return all
}

func lookAtBuffer(o *options.Serve) doctor.Buffer {
	b := doctor.Buffer{}
	if o.DHCP.Enabled() {
		b.Wanted = dhcpd.ReceiveBuffer
	}
	if o.TFTP.Listen != nil {
		b.Wanted = max(b.Wanted, tftpd.ReceiveBuffer)
	}
	if b.Wanted == 0 {
		return b
	}
	var err error
	if b.Granted, err = bind.Granted(b.Wanted); err != nil {
		b.Failed = err.Error()
	}
	return b
}

// lookAtFiles reads the binaries as serve does, and holds what is advertised against them.
func lookAtFiles(o *options.Serve) doctor.Files {
	f := doctor.Files{Dir: o.Boot.IPXEDir, Off: o.TFTP.Listen == nil && !o.HTTP.Served()}
	if f.Off {
		return f
	}
	library, err := ipxe.Load(o.Boot.IPXEDir, ipxe.LibraryOptions{BootFiles: o.Boot.BootFiles})
	if err != nil {
		f.Failed = fmt.Sprintf("%q holds no first-stage binary such as undionly.kpxe, ipxe.efi or ipxe-arm64.efi", o.Boot.IPXEDir)
		if len(o.Boot.BootFiles) > 0 {
			f.Failed = troubleOf(err).What
		}
		var at *fs.PathError
		if errors.As(err, &at) {
			f.Failed = fmt.Sprintf("%q cannot be read: %v", o.Boot.IPXEDir, at.Err)
		}
		return f
	}
	e := endpointOf(o, library)
	if !e.Addr.IsValid() {
		e.Addr = netip.IPv4Unspecified() // what is advertised depends on the address nowhere but in the URLs
	}
	seen := map[string]bool{}
	for _, rule := range boot.Table(e) {
		name := path.Base(rule.Decision.BootFile)
		if rule.Decision.Action != boot.Boot || name == path.Base(e.ScriptPath) || seen[name] {
			continue
		}
		seen[name] = true
		if library.Binaries().Has(name) {
			f.Served = append(f.Served, name)
		} else {
			f.Absent = append(f.Absent, name)
		}
	}
	for _, m := range library.Missing() {
		usual := m.Family == boot.FamilyBIOS || m.Family == boot.FamilyX64 || m.Family == boot.FamilyARM64
		f.Missing = append(f.Missing, doctor.Missing{Machines: m.Family.String(), Sought: strings.Join(m.Sought, ", "), Usual: usual})
	}
	for _, why := range library.Skipped() {
		f.Skipped = append(f.Skipped, why.Error())
	}
	return f
}

// lookAtHook asks for the kernel of most machines.
func lookAtHook(ctx context.Context, o *options.Serve) doctor.Hook {
	h := doctor.Hook{Off: !o.HTTP.Served(), Base: o.Boot.HookURL, Dir: o.Boot.HookDir}
	if h.Dir != "" {
		return lookAtImages(h)
	}
	if h.Off || h.Base == "" {
		return h
	}
	h.URL = strings.TrimRight(h.Base, "/") + "/vmlinuz-x86_64"
	ctx, cancel := context.WithTimeout(ctx, doctorHookTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, h.URL, nil)
	if err != nil {
		h.Failed = err.Error()
		return h
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: machines have none
	response, err := client.Do(request)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		h.Failed = "no answer within " + doctorHookTimeout.String()
	case err != nil:
		h.Failed = withoutURL(err).Error()
	default:
		response.Body.Close()
		h.Status = response.StatusCode
	}
	return h
}

// lookAtImages opens the folder of kernels as serve does.
func lookAtImages(h doctor.Hook) doctor.Hook {
	images, err := ipxe.OpenImages(h.Dir)
	if err == nil {
		h.Kernels, err = images.Kernels()
		err = errors.Join(err, images.Close())
	}
	if err != nil {
		h.Failed = err.Error()
	}
	return h
}

// lookAtState says whether the folder can be written to, or be made, without doing so.
func lookAtState(dir string) doctor.State {
	s := doctor.State{Dir: dir}
	if dir == "" {
		return s
	}
	at := filepath.Clean(dir)
	for {
		stat, err := os.Stat(at)
		if errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at) {
			at = filepath.Dir(at)
			continue
		}
		if err == nil && !stat.IsDir() {
			err = unix.ENOTDIR
		}
		if err == nil {
			err = unix.Access(at, unix.W_OK|unix.X_OK)
		}
		s.Made = at == filepath.Clean(dir)
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		if err != nil {
			s.Failed = fmt.Sprintf("%q: %v", at, err)
		}
		return s
	}
}
