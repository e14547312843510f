package kea

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// fake is a Kea as far as the driver sees one: it keeps a configuration, fills in what says nothing, and can be told to
// misbehave.
type fake struct {
	mu sync.Mutex
	// modern is a 3.0 with host_cmds: a digest beside the configuration, and commands for reservations.
	modern bool
	dhcp4  map[string]any
	// given are the commands that came, in their order.
	given []string
	// refuse is the text with which a command is refused, so many times as refusals says; 0 means always.
	refuse   map[string]string
	refusals map[string]int
	// deaf is true after a config-set that was refused. file is what config-write wrote.
	deaf bool
	file string
	// joins is how often a server of a pair says that it waits for its partner after a config-set.
	joins, joining int
}

// operatorConfig is an operator's configuration: classes, two subnets, one of them in a shared network, a reservation in
// each, and a password.
const operatorConfig = `{
"control-sockets": [{"socket-type": "http", "authentication": {"clients": [{"user": "u", "password": "s3cret<&>"}]}}],
"client-classes": [{"name": "phones", "test": "substring(option[60].hex,0,5) == 'phone'", "user-context": {"owner": "ops"}}],
"subnet4": [{"id": 7, "subnet": "10.9.0.0/24", "reservations": [{"hw-address": "52:54:00:e1:00:01", "ip-address": "10.9.0.200", "client-classes": ["phones"], "user-context": {"ticket": 123456789012345678}}]}],
"shared-networks": [{"name": "hall", "subnet4": [{"id": 9, "subnet": "10.8.0.0/24", "reservations": [{"hw-address": "52:54:00:e1:00:02", "ip-address": "10.8.0.200"}]}]}]}`

func newFake(t *testing.T, modern bool) *fake {
	f := &fake{modern: modern, refuse: map[string]string{}, refusals: map[string]int{}}
	f.configure(t, operatorConfig)
	return f
}

func (f *fake) configure(t *testing.T, text string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dhcp4 = decoded(t, []byte(text))
}

func decoded(t *testing.T, text []byte) (members map[string]any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		t.Fatal(err)
	}
	return members
}

// listen serves on a unix socket, one command for each connection, and returns its URL.
func (f *fake) listen(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "kea") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			var q map[string]any
			decoder := json.NewDecoder(conn)
			decoder.UseNumber()
			if decoder.Decode(&q) == nil {
				conn.Write(f.answer(q))
			}
			conn.Close()
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait(); os.RemoveAll(folder) })
	return "unix://" + path
}

// ServeHTTP answers as 2.7.2 and later do: the answer in a list.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := r.BasicAuth(); user != "u" || password != "s3cret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var q map[string]any
	if decoder.Decode(&q) == nil {
		fmt.Fprintf(w, "[ %s ]", f.answer(q))
	}
}

func (f *fake) answer(q map[string]any) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	command := q["command"].(string)
	f.given = append(f.given, command)
	arguments, _ := q["arguments"].(map[string]any)
	result := f.do(command, arguments)
	text, err := json.Marshal(result)
	if err != nil {
		panic(err)
	}
	return text
}

func refused(text string) map[string]any { return map[string]any{"result": 1, "text": text} }

func (f *fake) do(command string, arguments map[string]any) map[string]any {
	if text := f.refuse[command]; text != "" {
		if f.refusals[command]--; f.refusals[command] == 0 {
			delete(f.refuse, command)
		}
		f.deaf = f.deaf || command == "config-set"
		return refused(text)
	}
	done := map[string]any{"result": 0, "text": "done"}
	switch command {
	case "list-commands":
		names := []string{"config-get", "config-reload", "config-set", "config-test", "config-write", "dhcp-disable", "list-commands", "version-get"}
		if f.modern {
			names = append(names, commandAdd, commandUpdate, commandDel)
		}
		done["arguments"] = names
	case "version-get":
		done["text"] = map[bool]string{false: "2.2.0", true: "3.0.4"}[f.modern]
	case "config-get":
		got := map[string]any{"Dhcp4": filled(f.dhcp4)}
		if f.modern {
			got["hash"] = "ABCDEF"
		}
		done["arguments"] = got
	case "config-test", "config-set":
		dhcp4, ok := arguments["Dhcp4"].(map[string]any)
		if !ok || len(arguments) != 1 {
			return refused("spurious 'hash' parameter")
		}
		if command == "config-set" {
			f.dhcp4, f.deaf = dhcp4, false
		}
		f.joining = f.joins
	case "config-reload":
		f.deaf = false
	case "status-get":
		state := "hot-standby"
		if f.joining > 0 {
			f.joining--
			state = "WAITING"
		}
		done["arguments"] = map[string]any{"high-availability": []any{map[string]any{"ha-servers": map[string]any{"local": map[string]any{"state": state}}}}}
	case "config-write":
		f.file = fmt.Sprint(f.dhcp4)
	case commandAdd, commandUpdate, commandDel:
		return f.host(command, arguments)
	default:
		return map[string]any{"result": 2, "text": "'" + command + "' command not supported."}
	}
	return done
}

// host changes one reservation of subnet4, by its MAC.
func (f *fake) host(command string, arguments map[string]any) map[string]any {
	if !f.modern || arguments["operation-target"] != "memory" {
		return map[string]any{"result": 2, "text": "not supported"}
	}
	mac, id := arguments["identifier"], arguments["subnet-id"]
	reservation, _ := arguments["reservation"].(map[string]any)
	if reservation != nil {
		mac, id = reservation["hw-address"], reservation["subnet-id"]
		reservation = maps.Clone(reservation)
		delete(reservation, "subnet-id")
	}
	for _, s := range f.dhcp4["subnet4"].([]any) {
		subnet := s.(map[string]any)
		if subnet["id"] != id {
			continue
		}
		all, _ := subnet["reservations"].([]any)
		rest := slices.DeleteFunc(slices.Clone(all), func(r any) bool { return r.(map[string]any)["hw-address"] == mac })
		if (len(rest) < len(all)) == (command == commandAdd) {
			return map[string]any{"result": 3, "text": "Host not found, or there already."}
		}
		if reservation != nil {
			rest = append(rest, reservation)
		}
		subnet["reservations"] = rest
		return map[string]any{"result": 0, "text": "Host changed."}
	}
	return refused("no such subnet")
}

// filled is a configuration as config-get tells it: classes and reservations with every member.
func filled(dhcp4 map[string]any) map[string]any {
	says := func(v any, defaults map[string]any) any {
		all := maps.Clone(v.(map[string]any))
		for name, value := range defaults {
			if _, there := all[name]; !there {
				all[name] = value
			}
		}
		if options, _ := all["option-data"].([]any); len(options) > 0 {
			all["option-data"] = slices.Clone(options)
			for i, o := range options {
				option := maps.Clone(o.(map[string]any))
				if option["never-send"] == nil {
					option["never-send"] = false
				}
				if option["name"] == nil {
					option["name"] = "classless-static-route"
				}
				all["option-data"].([]any)[i] = option
			}
		}
		return all
	}
	list := func(in map[string]any, name string, each func(any) any) map[string]any {
		out := maps.Clone(in)
		var all []any
		was, _ := in[name].([]any)
		for _, v := range was {
			all = append(all, each(v))
		}
		if all == nil {
			all = []any{}
		}
		out[name] = all
		return out
	}
	host := map[string]any{"boot-file-name": "", "hostname": "", "next-server": "0.0.0.0", "option-data": []any{}, "client-classes": []any{}}
	class := map[string]any{"boot-file-name": "", "next-server": "0.0.0.0", "option-data": []any{}, "option-def": []any{}}
	subnet := func(v any) any {
		return list(v.(map[string]any), "reservations", func(r any) any { return says(r, host) })
	}
	out := list(dhcp4, "client-classes", func(c any) any { return says(c, class) })
	out = list(out, "subnet4", subnet)
	return list(out, "shared-networks", func(n any) any { return list(n.(map[string]any), "subnet4", subnet) })
}
