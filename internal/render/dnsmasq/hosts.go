package dnsmasq

import (
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// The bounds of a lease time, in seconds, that is not infinite: dnsmasq makes 120 of anything below.
const (
	minLease = 120
	maxLease = 1<<31 - 1
)

// hostLines are the reservations, one on each line, and what of them cannot be carried.
func hostLines(w render.Wanted) ([]string, []reservation.Problem) {
	var all []string
	var problems []reservation.Problem
	for _, n := range w.Networks {
		for _, r := range n.Reservations {
			fields := []string{r.MAC.String(), r.Address.Addr().String()}
			name, _, dotted := strings.Cut(r.Hostname, ".")
			switch {
			case r.Hostname == "":
			case !isHostname(name):
				problems = append(problems, render.NotCarried(r, "dhcp.hostname", r.Hostname,
					"dnsmasq would not take this for a name, and the machine is told none: write letters, digits and dashes"))
			default:
				fields = append(fields, name)
				if dotted {
					problems = append(problems, render.NotCarried(r, "dhcp.hostname", r.Hostname, "dnsmasq tells the machine the name up to the first dot"))
				}
			}
			lease, remedy := leaseOf(r.Lease)
			if remedy != "" {
				problems = append(problems, render.NotCarried(r, "dhcp.lease_time", strconv.FormatUint(uint64(r.Lease), 10), remedy))
			}
			all = append(all, strings.Join(append(fields, lease), ","))
			problems = append(problems, render.BootNotCarried(r, !w.Word.Says.IsZero())...)
		}
	}
	return all, problems
}

func leaseOf(seconds uint32) (text, remedy string) {
	switch {
	case seconds == reservation.Infinite:
		return "infinite", ""
	case seconds < minLease:
		return strconv.Itoa(minLease), "dnsmasq gives no lease below 120 seconds, and the machine is told 120"
	case seconds > maxLease:
		return strconv.Itoa(maxLease), "dnsmasq counts to 2147483647 seconds, which the machine is told"
	}
	return strconv.FormatUint(uint64(seconds), 10), ""
}
