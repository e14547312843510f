package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/tugboot/tugboot/test/bench/dhcpload"
	"github.com/tugboot/tugboot/test/bench/httpload"
	"github.com/tugboot/tugboot/test/bench/storm"
	"github.com/tugboot/tugboot/test/bench/tftpload"
)

// The kinds of loads.
const (
	loadDHCP   = "dhcp"
	loadSearch = "search"
	loadWatch  = "watch"
	loadTFTP   = "tftp"
	loadHTTP   = "http"
	loadStorm  = "storm"
)

// withFile is a load whose clients compare what they get with a file.
type withFile[L any] struct {
	Load L
	File string
}

// load puts one load on a server, in the namespace and on the CPU that this process was started on: it reads what the load
// is from the standard input, and writes what came of it to the standard output, as JSON.
func load(args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: bench load %s|%s|%s|%s|%s|%s", loadDHCP, loadSearch, loadWatch, loadTFTP, loadHTTP, loadStorm)
	}
	debug.SetGCPercent(400) // what the generator allocates at all, it keeps
	switch kind := args[0]; kind {
	case loadDHCP:
		return answer(stdin, stdout, dhcpload.Run)
	case loadSearch:
		return answer(stdin, stdout, dhcpload.Search.Run)
	case loadWatch:
		return answer(stdin, stdout, dhcpload.Watch.Run)
	case loadTFTP:
		return answer(stdin, stdout, comparing(tftpload.Run))
	case loadHTTP:
		return answer(stdin, stdout, httpload.Run)
	case loadStorm:
		runtime.GOMAXPROCS(2) // of one CPU: one for the thread that polls, one for the scripts
		return answer(stdin, stdout, comparing(storm.Run))
	default:
		return fmt.Errorf("load %q: there is no such kind", kind)
	}
}

func comparing[L, O any](run func(L, []byte) (O, error)) func(withFile[L]) (O, error) {
	return func(l withFile[L]) (o O, err error) {
		want, err := os.ReadFile(l.File)
		if err != nil {
			return o, err
		}
		return run(l.Load, want)
	}
}

func answer[L, O any](stdin io.Reader, stdout io.Writer, run func(L) (O, error)) error {
	var l L
	if err := json.NewDecoder(stdin).Decode(&l); err != nil {
		return fmt.Errorf("read the load: %w", err)
	}
	o, err := run(l)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(o)
}
