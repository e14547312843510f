package tink

import (
	"testing"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
)

// BenchmarkConvert is what a Hardware costs when it is seen for the first time or was changed.
func BenchmarkConvert(b *testing.B) {
	hw := sound(func(i *v1alpha1.Interface) {
		i.DHCP.Hostname, i.DHCP.NameServers, i.DHCP.LeaseTime = "wk01", []string{"192.168.2.1"}, 86400
	})
	b.ReportAllocs()
	for b.Loop() {
		if list, problems := Convert(hw); len(list) != 1 || len(problems) != 0 {
			b.Fatal(problems)
		}
	}
}
