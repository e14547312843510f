package contender

import (
	"path/filepath"

	"github.com/tugboot/tugboot/test/bench/fleet"
)

// stub knows nothing and answers all the same: what is left is the kernel's work. It serves one role at a time; which one is
// told by the number of reservations, of which a TFTP server has none.
func stub() Contender {
	return Contender{
		Name: "stub", Title: "C stub, canned answers (the limit)", Roles: []Role{DHCP, TFTP}, Limit: true,
		Configure: func(s Setting) (Start, error) {
			if s.Machines == 0 {
				return Start{Args: []string{s.Stub, "tftp", filepath.Join(s.Files, fleet.BootFile)}}, nil
			}
			return Start{Args: []string{s.Stub, "dhcp", fleet.Server.String()}}, nil
		},
	}
}
