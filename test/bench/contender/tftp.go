package contender

import (
	"path/filepath"

	"github.com/tugboot/tugboot/test/bench/fleet"
)

// tftpdHPA is H. Peter Anvin's, which forks for every transfer.
func tftpdHPA() Contender {
	return Contender{
		Name: "tftpd-hpa", Title: "tftpd-hpa", Roles: []Role{TFTP}, Package: "tftpd-hpa",
		Version: func(p Programs) []string { return []string{filepath.Join(p.TFTP, "bin", "in.tftpd"), "--version"} },
		Configure: func(s Setting) (Start, error) {
			return Start{Args: []string{filepath.Join(s.TFTP, "bin", "in.tftpd"), "--foreground", "--user", "root",
				"--address", fleet.Server.String() + ":69", "--secure", s.Files}}, nil
		},
	}
}

// atftpd has a thread for every transfer.
func atftpd() Contender {
	return Contender{
		Name: "atftpd", Title: "atftpd", Roles: []Role{TFTP}, Package: "atftpd",
		Version: func(p Programs) []string { return []string{filepath.Join(p.TFTP, "bin", "atftpd"), "--version"} },
		Configure: func(s Setting) (Start, error) {
			return Start{Args: []string{filepath.Join(s.TFTP, "bin", "atftpd"), "--daemon", "--no-fork", "--user", "root.root",
				"--bind-address", fleet.Server.String(), "--port", "69", "--maxthread", "4000", "--logfile", "/dev/null", s.Files}}, nil
		},
	}
}
