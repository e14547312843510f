package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/dhcpservice/kea"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/test/lab"
)

// A disk that is full keeps Tugboot from writing, and nothing else: the daemon says what it said, no file is cut off, and
// once there is room the same order goes through.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, o := range []onFiles{onDnsmasq(), onDHCPD()} {
		d := daemons(t, o.kind)[0]
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			e := newExisting(t, d)
			folder := e.smallDisk(filepath.Join(e.foreign.Dir, "live"), 256<<10)
			o.install(e)
			e.apply(wanted(3, bootstrapAddr, 1))
			before := e.files(folder)
			ballast := filepath.Join(folder, "ballast")
			if err := os.WriteFile(ballast, bytes.Repeat([]byte{0}, 1<<20), 0o644); !errors.Is(err, unix.ENOSPC) {
				t.Fatalf("the disk is not full: %v", err)
			}
			e.failsWith(wanted(200, managementAddr, 2), dhcpservice.StageCheck, "no space left on device")
			e.must(e.verify(e.ctx, wanted(3, bootstrapAddr, 1)))
			e.must(os.Remove(ballast))
			for name, text := range e.files(folder) {
				if before[name] != text {
					t.Errorf("%s was changed, or was not there", name)
				}
			}
			e.apply(wanted(200, managementAddr, 2))
		})
	}
}

// smallDisk makes a folder on a file system of its own, of so many bytes.
func (e *existing) smallDisk(folder string, size int) string {
	e.t.Helper()
	e.must(os.Mkdir(folder, 0o755))
	e.must(unix.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0755", size)))
	e.t.Cleanup(func() {
		if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
			e.t.Error(err)
		}
	})
	return folder
}

// files are the texts of the files in a folder.
func (e *existing) files(folder string) map[string]string {
	e.t.Helper()
	entries, err := os.ReadDir(folder)
	e.must(err)
	all := map[string]string{}
	for _, entry := range entries {
		all[entry.Name()] = e.read(filepath.Join(folder, entry.Name()))
	}
	return all
}

// failsWith applies want, which must fail at stage with words in its error.
func (e *existing) failsWith(want render.Wanted, stage dhcpservice.Stage, words ...string) *dhcpservice.Failure {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.ctx, 60*time.Second)
	defer cancel()
	_, err := dhcpservice.Apply(ctx, e.driver, want, e.verify)
	var failure *dhcpservice.Failure
	if !errors.As(err, &failure) || failure.Stage != stage {
		e.t.Fatalf("the error is %v, want one at %s", err, stage)
	}
	e.t.Logf("%s: %v", e.foreign.Daemon.Name, err)
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			e.t.Errorf("the error is %v, and does not say %q", err, word)
		}
	}
	return failure
}

// A dnsmasq that crashes when it reads its files again, by one signal or another, as 2.90 does of a tag in a hosts file once its machine has asked,
// is said to be dead; the files are as they were, and when it is started it says what it said.
func TestDaemonThatDiesOnReload(t *testing.T) {
	t.Parallel()
	t.Run("dnsmasq", func(t *testing.T) {
		t.Parallel()
		e := newExisting(t, daemons(t, lab.Dnsmasq)[0])
		hosts := filepath.Join(e.foreign.Dir, "operators.hosts")
		machine := wanted(4, bootstrapAddr, 1).Networks[0].Reservations[3] // not yet Tugboot's
		e.must(os.WriteFile(hosts, []byte("# tugboot-lint: disable=dnsmasq-hosts-set\n"+machine.MAC.String()+",set:office,"+machine.Address.Prefix().Addr().String()+"\n"), 0o644))
		o := onDnsmasq()
		o.own += "dhcp-hostsfile=" + hosts + "\n"
		folder := filepath.Join(e.foreign.Dir, "live")
		o.install(e)
		e.apply(wanted(3, bootstrapAddr, 1))
		asker, err := e.StartAsker(e.ctx, machine.MAC.String(), machine.Address.Prefix())
		e.must(err)
		time.Sleep(2 * time.Second) // in which it takes an offer up
		e.must(asker.Stop())
		before := e.files(folder)
		failure := e.failsWith(wanted(3, managementAddr, 2), dhcpservice.StageWrite, "died on reload", "has ended (signal: ")
		if failure.Restored || failure.Unrestored == nil || e.foreign.Running() {
			t.Errorf("restored %t, %v; runs %t: a dead daemon says nothing", failure.Restored, failure.Unrestored, e.foreign.Running())
		}
		for name, text := range e.files(folder) {
			if before[name] != text {
				t.Errorf("%s is not as it was", name)
			}
		}
		e.must(e.foreign.Start(e.ctx))
		e.must(e.verify(e.ctx, wanted(3, bootstrapAddr, 1)))
	})
	// dhcpd's own checker takes a configuration without a subnet of any interface, and dhcpd does not start with it.
	t.Run("dhcpd", func(t *testing.T) {
		t.Parallel()
		e := newExisting(t, daemons(t, lab.DHCPD)[0])
		config := onDHCPD().install(e)
		e.apply(wanted(3, bootstrapAddr, 1))
		e.must(e.foreign.Configure(strings.Replace(config, "subnet 10.9.0.0 netmask 255.255.0.0", "subnet 10.77.0.0 netmask 255.255.0.0", 1)))
		failure := e.failsWith(wanted(3, managementAddr, 2), dhcpservice.StageWrite, "Not configured to listen on any interfaces")
		if failure.Restored || failure.Unrestored == nil {
			t.Errorf("restored %t, %v: the operator's own configuration is broken", failure.Restored, failure.Unrestored)
		}
		e.must(e.foreign.Configure(config))
		e.must(e.foreign.Restart(e.ctx))
		e.must(e.verify(e.ctx, wanted(3, bootstrapAddr, 1)))
		e.apply(wanted(3, managementAddr, 2))
	})
}

// A Kea that is given a configuration which it cannot serve is deaf, and says that all is well. Its interface goes between
// the test of the configuration and its setting; Tugboot says that it is deaf; once the interface is back, Kea is made to
// listen again, and the same order goes through.
func TestDeafKea(t *testing.T) {
	t.Parallel()
	for _, d := range daemons(t, lab.Kea) {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			e := newExisting(t, d)
			e.configure(e.foreign.KeaOperator(keaOwn))
			driver, err := kea.New(kea.Options{URL: "unix://" + e.foreign.Socket})
			e.must(err)
			e.driver = driver
			e.apply(wanted(3, bootstrapAddr, 1))
			e.rename("eth0", "gone")
			failure := e.failsWith(wanted(3, managementAddr, 2), dhcpservice.StageWrite, "eth0", "serves nobody")
			if failure.Restored || failure.Unrestored == nil {
				t.Errorf("restored %t, %v: Kea is deaf", failure.Restored, failure.Unrestored)
			}
			e.rename("gone", "eth0")
			if err := e.verify(e.ctx, wanted(3, bootstrapAddr, 1)); err == nil {
				t.Error("it answers: the test does not show what it is for")
			}
			e.must(driver.Renew(e.ctx))
			e.must(e.verify(e.ctx, wanted(3, bootstrapAddr, 1)))
			e.apply(wanted(3, managementAddr, 2))
		})
	}
}

// rename gives an interface of the service's host another name.
func (e *existing) rename(from, to string) {
	e.t.Helper()
	for _, args := range [][]string{{"down"}, {"name", to}} {
		_, err := e.server.Run(e.ctx, nil, append([]string{"ip", "link", "set", "dev", from}, args...)...)
		e.must(err)
	}
	_, err := e.server.Run(e.ctx, nil, "ip", "link", "set", "dev", to, "up")
	e.must(err)
}
