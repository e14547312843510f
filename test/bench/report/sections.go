package report

import (
	"maps"
	"slices"
	"strings"
)

func (p *page) dhcp() {
	p.say("## DHCP\n")
	p.say("Whole exchanges (DISCOVER, OFFER, REQUEST, ACK) of a UEFI machine's PXE client, through a relay agent, each of a machine")
	p.say("drawn at random from all that have a reservation. The rate is the highest at which no more than 0.1 %% is lost; latency is")
	p.say("that of the whole exchange at half that rate.\n")
	for _, name := range p.cases("dhcp") {
		p.say("### %s reservations\n", thousands(name))
		p.table("dhcp", name, compared("DORA/s", "dora_per_s"), compared("CPU us per DORA, full rate", "cpu_us_full"),
			figure("CPU us, half rate", "cpu_us_half"), figure("p50 us", "p50_us"), figure("p99 us", "p99_us"),
			figure("p99.9 us", "p999_us"), figure("RSS MiB", "rss_mib"), figure("generator's core busy %", "generator_percent"))
		p.plot("dhcp-"+name+".svg", bars(p.list, "DHCP exchanges a second, "+thousands(name)+" reservations",
			"DORA/s, more is better", "dhcp", name, "dora_per_s", false))
		p.plot("cpu-"+name+".svg", bars(p.list, "CPU for one exchange, "+thousands(name)+" reservations",
			"us, less is better", "dhcp", name, "cpu_us_full", true))
	}
}

func (p *page) start() {
	p.say("## Start and memory\n")
	p.say("From the start of the process to the first right answer for the last machine of the list, which is asked for every 5 ms, and")
	p.say("the resident memory then.\n")
	names := p.cases("start")
	var heads []string
	for _, name := range names {
		heads = append(heads, thousands(name)+" reservations")
	}
	for _, f := range []column{figure("Start, ms", "start_ms"), figure("CPU until then, ms", "start_cpu_ms"), figure("RSS, MiB", "rss_mib")} {
		p.say("### %s\n", f.head)
		matrix{suite: "start", key: f.key, cases: names, heads: heads}.write(&p.text, p.list)
	}
	for _, name := range names {
		p.plot("start-"+name+".svg", bars(p.list, "Start with "+thousands(name)+" reservations",
			"ms, less is better", "start", name, "start_ms", true))
	}
	p.say("## A change\n")
	p.say("One reservation of many is given another address: the file is renamed into place, and the server told as its manual says")
	p.say("(Tugboot follows the file, Kea and dnsmasq get SIGHUP, dhcpd is started again). Until the first right OFFER, asked for every")
	p.say("5 ms. Meanwhile other machines ask at a steady pace; one not answered within a second is lost.\n")
	for _, name := range p.cases("change") {
		p.say("### %s reservations\n", thousands(name))
		p.table("change", name, compared("change answered ms", "change_ms"), figure("others lost", "lost"),
			figure("of", "asked"), figure("longest silence ms", "gap_ms"))
		p.plot("change.svg", bars(p.list, "A change among "+thousands(name)+" reservations",
			"ms, less is better", "change", name, "change_ms", true))
	}
}

func (p *page) api() {
	names := p.cases("api")
	if len(names) == 0 {
		return
	}
	p.say("## Hardware in a Kubernetes API\n")
	p.say("A real etcd and kube-apiserver on the same cores hold so many Hardware objects when Tugboot starts. \"Start\" is until the first")
	p.say("right answer for the last machine; then one object is given another address. The change is timed from when it is sent to the")
	p.say("API, whose own answer takes the time in the next column, to the first right OFFER, asked for every 5 ms. One round.\n")
	for _, name := range names {
		p.say("### %s Hardware objects\n", thousands(name))
		p.table("api", name, figure("Start, ms", "start_ms"), figure("CPU until then, ms", "start_cpu_ms"), figure("RSS then, MiB", "rss_mib"),
			figure("RSS at its peak, MiB", "peak_mib"), figure("change answered ms", "change_ms"), figure("API's answer ms", "write_ms"),
			figure("others lost", "lost"), figure("of", "asked"), figure("longest silence ms", "gap_ms"))
	}
}

func (p *page) bursts() {
	p.say("## All at once\n")
	p.say("So many machines send their DISCOVER in the same moment. \"First try\" is what was answered without any repetition, as it is")
	p.say("for machines that do not repeat; the rest repeat after 4, 8 and 16 s give or take one (RFC 2131 section 4.1), and the last ACK")
	p.say("is when all were done.\n")
	names := p.cases("burst")
	for _, name := range names {
		p.say("### %s machines\n", thousands(name))
		p.table("burst", name, compared("first try %", "first_try_percent"), figure("answered in the end %", "answered_percent"),
			compared("last ACK ms", "last_ack_ms"), figure("p50 ms", "p50_ms"))
		p.plot("burst-"+name+".svg", bars(p.list, thousands(name)+" machines at once",
			"ms to the last ACK, less is better", "burst", name, "last_ack_ms", true))
	}
}

func (p *page) perfdhcp() {
	names := p.cases("perfdhcp")
	if len(names) == 0 {
		return
	}
	p.say("## perfdhcp\n")
	p.say("The same servers, asked by ISC's perfdhcp: an avalanche of so many clients, which repeat themselves, and 5,000 exchanges a second")
	p.say("for a second. What perfdhcp itself cannot take in counts as the server's loss: the stub's row shows how much that is.\n")
	for _, name := range names {
		p.say("### %s clients\n", thousands(name))
		p.table("perfdhcp", name, compared("avalanche ms", "avalanche_ms"), figure("requests sent again", "resent"),
			figure("steady: DORA/s", "steady_per_s"), figure("DISCOVERs lost %", "lost_discover_percent"),
			figure("REQUESTs lost %", "lost_request_percent"))
	}
}

func (p *page) files() {
	p.say("## TFTP\n")
	p.say("Everybody fetches the iPXE binary again and again. Lock-step (windowsize 1) is bound by round trips: the stub shows by how many.\n")
	for _, crowd := range p.crowds() {
		var names, heads []string
		for _, name := range p.cases("tftp") {
			if grants, found := strings.CutPrefix(name, crowd+", "); found {
				names, heads = append(names, name), append(heads, grants)
			}
		}
		for _, f := range []column{figure("MB/s", "mb_per_s"), figure("CPU ms per MB", "cpu_ms_per_mb"), figure("p99 of a transfer, ms", "p99_ms")} {
			p.say("### %s: %s\n", crowd, f.head)
			matrix{suite: "tftp", key: f.key, cases: names, heads: heads}.write(&p.text, p.list)
		}
		for _, name := range names {
			if strings.Contains(name, "blksize 1456") {
				file := "tftp-" + strings.NewReplacer(", ", "-", " ", "").Replace(name) + ".svg"
				p.plot(file, bars(p.list, "TFTP, "+name, "MB/s, more is better", "tftp", name, "mb_per_s", false))
			}
		}
	}
	p.say("## HTTP\n")
	p.say("Clients that fetch the same file at once: a large initrd, the iPXE binary a hundred times each, and scripts, which Tugboot makes for")
	p.say("the machine that asks and the others have as a file. They compare a file with its checksum before, and the length of every")
	p.say("transfer; what comes is dropped in the kernel, so that the server's core is busy.\n")
	for _, name := range p.cases("http") {
		p.say("### %s\n", name)
		if strings.HasSuffix(name, ".ipxe") {
			p.table("http", name, compared("scripts/s", "per_s"), compared("CPU us per script", "cpu_us"), figure("slowest ms", "slowest_ms"))
			p.plot("http-"+strings.ReplaceAll(name, ".", "-")+".svg", bars(p.list, "HTTP, "+name,
				"scripts/s, more is better", "http", name, "per_s", false))
			continue
		}
		p.table("http", name, compared("MB/s", "mb_per_s"), compared("CPU ms per GB", "cpu_ms_per_gb"), figure("slowest transfer ms", "slowest_ms"))
		p.plot("http-"+strings.ReplaceAll(name, ".", "-")+".svg", bars(p.list, "HTTP, "+name,
			"MB/s, more is better", "http", name, "mb_per_s", false))
	}
}

// crowds are how TFTP's cases begin: with the number of clients.
func (p *page) crowds() []string {
	var found []string
	for _, name := range p.cases("tftp") {
		if crowd, _, _ := strings.Cut(name, ","); !slices.Contains(found, crowd) {
			found = append(found, crowd)
		}
	}
	return found
}

func (p *page) boots() {
	p.say("## A boot storm\n")
	p.say("So many machines are switched on in the same moment: DHCP, the iPXE binary by TFTP (blksize 1468, windowsize 4), DHCP again, the")
	p.say("script over HTTP. All of a stack runs on the server's one core.\n")
	for _, name := range p.cases("storm") {
		p.say("### %s machines\n", thousands(name))
		p.table("storm", name, compared("last machine done ms", "last_ms"), figure("half of them ms", "p50_ms"),
			figure("last address ms", "address_ms"), figure("last binary ms", "binary_ms"),
			figure("packets repeated", "repeated"), figure("transfers begun anew", "restarted"), compared("CPU ms", "cpu_ms"))
		p.plot("storm.svg", bars(p.list, thousands(name)+" machines boot at once",
			"ms to the last one, less is better", "storm", name, "last_ms", false))
	}
	for _, name := range p.cases("boot") {
		p.say("## One boot\n")
		p.say("A machine that QEMU emulates (%s, without hardware acceleration), booted by Tugboot, from power-on.\n", name)
		p.boot(name)
	}
}

// boot writes the one timeline.
func (p *page) boot(name string) {
	for _, e := range p.list {
		for _, s := range e.samples("boot", name) {
			if s.Failed != "" {
				p.say("Failed: %s\n", plain(s.Failed))
				continue
			}
			p.say("| step | seconds |\n|---|---|")
			for _, step := range slices.Sorted(maps.Keys(s.Values)) {
				p.say("| %s | %s |", step[2:], number(s.Values[step]/1000))
			}
			p.say("")
		}
	}
}

// thousands writes digits with commas between thousands.
func thousands(digits string) string {
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
