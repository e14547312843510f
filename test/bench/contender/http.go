package contender

import (
	"fmt"

	"github.com/tugboot/tugboot/test/bench/fleet"
)

const nginxMain = `daemon off;
user root;
worker_processes 1;
pid %[1]s;
error_log stderr;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  server { listen %[2]d; root %[3]s; }
}
`

// nginx sends with sendfile.
func nginx() Contender {
	return Contender{
		Name: "nginx", Title: "nginx, sendfile", Roles: []Role{HTTP}, Package: "nginx", Web: WebPort,
		Version: func(Programs) []string { return []string{"nginx", "-v"} },
		Configure: func(s Setting) (Start, error) {
			config := s.path("nginx.conf")
			return Start{Args: []string{"nginx", "-e", "stderr", "-c", config},
					Check: []string{"nginx", "-e", "stderr", "-t", "-c", config}},
				s.text("nginx.conf", nginxMain, s.path("pid"), WebPort, s.Files)
		},
	}
}

// goHTTP is what Go's own server does with a file: the kernel copies it.
func goHTTP() Contender {
	return Contender{
		Name: "go-sendfile", Title: "Go net/http, sendfile", Roles: []Role{HTTP}, Web: WebPort,
		Configure: func(s Setting) (Start, error) {
			return Start{Args: []string{s.Bench, "serve-http", fmt.Sprintf("%v:%d", fleet.Server, WebPort), s.Files}}, nil
		},
	}
}
