package ipxe

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/reservation"
)

// command is one command as iPXE would run it: the word that names it, how many words follow, and what joins it to the
// next command.
type command struct {
	Label, Name string
	Words       int
	Then        string
}

// commands is the tests' own reading of a script, written after iPXE's manual and sources and not after the code under
// test: lines joined by backslashes, labels, comments, operators. It fails the test on an expansion that the script's
// author did not write.
func commands(t *testing.T, script string, expansions map[string]bool) []command {
	t.Helper()
	var list []command
	joined := ""
	for _, line := range strings.Split(script, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if before, continued := strings.CutSuffix(line, `\`); continued {
			joined += before
			continue
		}
		line, joined = joined+line, ""
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r >= 9 && r <= 13 })
		label := ""
		if len(words) > 0 && words[0][0] == ':' {
			label, words = words[0], words[1:]
		}
		c := command{Label: label}
		for _, w := range words {
			if w[0] == '#' {
				break
			}
			if w == "&&" || w == "||" || w == ";" {
				c.Then = w
				list, c = append(list, c), command{}
				continue
			}
			for rest := w; strings.Contains(rest, "${"); {
				_, rest, _ = strings.Cut(rest, "${")
				name, _, _ := strings.Cut(rest, "}")
				if !expansions[name] {
					t.Fatalf("an expansion of %q got into %q", name, line)
				}
			}
			if c.Name == "" {
				c.Name = w
			} else {
				c.Words++
			}
		}
		list = append(list, c)
	}
	return list
}

func TestCommandsReadsLikeIPXE(t *testing.T) {
	got := commands(t, "#!ipxe\n:a echo x # not this\r\nset a \\\nb && goto a ||\n\techo\x0b${arch}", map[string]bool{"arch": true})
	want := []command{{}, {Label: ":a", Name: "echo", Words: 1}, {Name: "set", Words: 2, Then: "&&"}, {Name: "goto", Words: 1, Then: "||"}, {},
		{Name: "echo", Words: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("the oracle itself is wrong (-want +got):\n%s", diff)
	}
}

// ours are the expansions that the two templates use.
var ours = map[string]bool{"arch": true, "buildarch": true, "kernel": true, "initrd": true, "attempt": true, "errno": true}

// FuzzScript shows that whatever a Hardware object says, its script is refused or has the commands, each with as many
// words, of one with harmless values.
func FuzzScript(f *testing.F) {
	for _, evil := range []string{"", "onprem", "a b", "a\nshell", "a\rshell", "x && shell", "x || shell", "x ; shell", ";", "&&", "#", "#x",
		"${ip}", "${", "$", "x\\", "x\\\n", "\"", "x\" y", "\x00", "\x0bshell", "\u2028shell", ":label", "http://x/y", "http://x/ y", "http://x/\nshell",
		"http://x/$", "http://x/${ip}", "../../x", "console=ttyS0 quiet", " a ", "-x"} {
		f.Add(evil, "agent", "http://files.example/os", "vmlinuz", "initrd", "quiet", "")
		f.Add("onprem", evil, evil, evil, evil, evil, "")
		f.Add("onprem", "agent", "", "", "", evil, evil)
		f.Add(evil, evil, evil, evil, evil, evil, evil)
	}
	library := someBinaries(f)
	f.Fuzz(func(t *testing.T, facility, agent, base, kernel, initrd, param, url string) {
		evil := machine(func(r *reservation.Reservation) {
			r.Netboot.Facility, r.AgentID, r.Netboot.IPXEURL = facility, agent, url
			r.Netboot.OSIE = reservation.OSIE{BaseURL: base, Kernel: kernel, Initrd: initrd, KernelParams: []string{param}}
		})
		harmless := machine(func(r *reservation.Reservation) {
			if url != "" {
				r.Netboot.IPXEURL = "http://x/y"
			}
			for range strings.FieldsSeq(param) {
				r.Netboot.OSIE.KernelParams = append(r.Netboot.OSIE.KernelParams, "a=b")
			}
		})
		c, problems := catalogOf(t, library, siteOptions(), endpoint(), evil)
		content, err := c.Get("/auto.ipxe", machineAddr)
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
			if !refusal.Invalid || len(*problems) == 0 || strings.ContainsAny(refusal.Message, "\n\r\x1b") {
				t.Fatalf("refused with %+v, problems %v", refusal, *problems)
			}
			return
		}
		if len(*problems) != 0 {
			t.Fatalf("a script was given in spite of %v", *problems)
		}
		like, _ := catalogOf(t, library, siteOptions(), endpoint(), harmless)
		want, err := like.Get("/auto.ipxe", machineAddr)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(commands(t, string(want.Body), ours), commands(t, string(content.Body), ours)); diff != "" {
			t.Fatalf("the values changed the script's commands (-harmless +got):\n%s\n%s", diff, content.Body)
		}
		for _, c := range content.Body {
			if c != '\n' && (c < 0x20 || c > 0x7e) {
				t.Fatalf("the script holds the byte %#x", c)
			}
		}
		kernelLine(t, string(content.Body))
	})
}

// kernelLine shows that the arguments that identify the machine stand on the kernel's command line once, as they should.
func kernelLine(t *testing.T, script string) {
	t.Helper()
	for line := range strings.Lines(script) {
		if !strings.HasPrefix(line, "kernel ") {
			continue
		}
		if strings.ContainsAny(line, `"`) {
			t.Fatalf("a double quote joins kernel arguments: %s", line)
		}
		before, _, _ := strings.Cut(line, " console=tty0 ")
		for _, name := range []string{"facility", "syslog_host", "grpc_authority", "worker_id", "hw_addr"} {
			if n := strings.Count(before, " "+name+"="); n != 1 {
				t.Fatalf("%s= stands %d times in %s", name, n, line)
			}
		}
	}
}

func TestEveryRefusedValueIsReported(t *testing.T) {
	bad := machine(func(r *reservation.Reservation) {
		r.Source.Interface = 2
		r.Netboot.Facility, r.AgentID = "a\nb", "a b"
		r.Netboot.OSIE = reservation.OSIE{BaseURL: "http://x/hook?a", Kernel: "/x", Initrd: "${x}", KernelParams: []string{"fine", "x \"y"}}
	})
	c, problems := catalog(t, siteOptions(), endpoint(), bad)
	_, err := c.Get("/auto.ipxe", netip.MustParseAddr("192.168.2.10"))
	if err == nil || !strings.HasSuffix(err.Error(), "(and 5 more)") {
		t.Errorf("the refusal reads %v", err)
	}
	var got []string
	for _, p := range *problems {
		if p.Reason != "ScriptValueRefused" || p.Source != bad.Source || p.Fatal || p.Remedy == "" {
			t.Errorf("reported: %+v", p)
		}
		got = append(got, p.Field+"="+p.Value)
	}
	if diff := cmp.Diff([]string{
		"spec.interfaces[2].netboot.osie.baseURL=http://x/hook?a", "spec.interfaces[2].netboot.osie.kernel=/x", "spec.interfaces[2].netboot.osie.initrd=${x}",
		"spec.metadata.facility.facility_code=a\nb", "spec.agentID=a b", `spec.interfaces[2].netboot.osie.kernelParams[1]=x "y`,
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCommandLineThatLinuxWouldCutIsRefused(t *testing.T) {
	long := strings.Repeat("a", 900)
	c, problems := catalog(t, siteOptions(), endpoint(), machine(func(r *reservation.Reservation) {
		r.Netboot.OSIE.KernelParams = []string{long, long}
	}))
	if _, err := c.Get("/auto.ipxe", machineAddr); err == nil || len(*problems) != 1 || !strings.Contains((*problems)[0].Remedy, "2047") {
		t.Errorf("%v, %v", err, *problems)
	}
}
