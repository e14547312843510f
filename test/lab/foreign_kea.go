package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"
)

// KeaOperator is the configuration of an operator's Kea that serves on the place's interface and takes commands, with the
// hook libraries for hosts and classes where they are free, from 2.7.7 on. more are further members of Dhcp4, as JSON
// without the braces.
func (f *Foreign) KeaOperator(more string) string {
	return f.keaOperator("", more)
}

// keaOperator is KeaOperator with more hook libraries.
func (f *Foreign) keaOperator(hooks, more string) string {
	return f.keaServing(hooks, fmt.Sprintf(`"control-socket": {"socket-type": "unix", "socket-name": %q}`, f.Socket), more)
}

// keaServing is KeaOperator with more hook libraries and with that member for the control channels.
func (f *Foreign) keaServing(hooks, channels, more string) string {
	if f.Daemon.Version >= "2.7.7" {
		if hooks != "" {
			hooks += ", "
		}
		hooks += `{"library": "libdhcp_host_cmds.so"}, {"library": "libdhcp_class_cmds.so"}`
	}
	return fmt.Sprintf(`{"Dhcp4": {"interfaces-config": {"interfaces": [%q], "dhcp-socket-type": "raw"},
"lease-database": {"type": "memfile", "persist": true, "name": %q},
%s, "hooks-libraries": [%s],
"loggers": [{"name": "kea-dhcp4", "severity": "INFO", "output_options": [{"output": "stdout"}]}],
%s}}
`, f.iface, f.path("leases.csv"), channels, hooks, more)
}

// KeaPair is KeaOperator's configuration for one server of a pair in hot standby: name is "first", which is the one that serves
// while it is there, or "second". They speak with each other at the addresses, in this order, and the port.
func (f *Foreign) KeaPair(name string, addresses []string, port int, more string) string {
	peers := ""
	for i, peer := range []struct{ name, role string }{{"first", "primary"}, {"second", "standby"}} {
		peers += fmt.Sprintf(`, {"name": %q, "role": %q, "url": "http://%s:%d/"}`, peer.name, peer.role, addresses[i], port)
	}
	return f.keaOperator(fmt.Sprintf(`{"library": %q}, {"library": %q, "parameters": {"high-availability": [{"this-server-name": %q, "mode": "hot-standby",
"heartbeat-delay": 1000, "max-response-delay": 2000, "max-ack-delay": 1000, "max-unacked-clients": 0,
"multi-threading": {"enable-multi-threading": true, "http-dedicated-listener": true, "http-listener-threads": 1, "http-client-threads": 1},
"peers": [%s]}]}}`, f.hook("libdhcp_lease_cmds.so"), f.hook("libdhcp_ha.so"), name, peers[2:]), `"multi-threading": {"enable-multi-threading": true}, `+more)
}

// hook is how a hook library is named.
func (f *Foreign) hook(name string) string {
	if f.Daemon.confined { // the host's, which asks for a path
		found, err := filepath.Glob("/usr/lib/*/kea/hooks/" + name)
		if err == nil && len(found) == 1 {
			return found[0]
		}
	}
	return name
}

// keaPatience is more than any command takes.
const keaPatience = 30 * time.Second

// KeaCommand gives a running Kea a command, with arguments or nil, and returns the arguments of its answer. An answer
// with another result than 0 is an error with Kea's text.
func (f *Foreign) KeaCommand(ctx context.Context, command string, arguments any) (json.RawMessage, error) {
	question := map[string]any{"command": command}
	if arguments != nil {
		question["arguments"] = arguments
	}
	var said struct {
		Result    int
		Text      string
		Arguments json.RawMessage
	}
	text, err := json.Marshal(question)
	if err == nil {
		text, err = exchange(ctx, f.Socket, text)
	}
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err == nil && said.Result != 0 {
		err = fmt.Errorf("result %d: %s", said.Result, said.Text)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: command %s: %w", f.Daemon.Name, command, err)
	}
	return said.Arguments, nil
}

// exchange sends a text to a Unix socket and returns all that is answered.
func exchange(ctx context.Context, socket string, text []byte) (answer []byte, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.SetDeadline(time.Now().Add(keaPatience)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(text); err != nil {
		return nil, err
	}
	return io.ReadAll(conn)
}
