package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/tugboot/tugboot/internal/takeover"
)

// Word is what is told, and whose word it is. It stands beside everything that is written into a service, so that a
// reader knows what was meant, and a writer whether a higher one was there.
type Word struct {
	Mark takeover.Mark
	Says takeover.Endpoint
}

// written is a Word as it stands in a service, on one line of JSON.
type written struct {
	Cluster    string `json:"cluster"`
	Born       int64  `json:"born"`
	Epoch      int64  `json:"epoch"`
	Identity   string `json:"identity,omitempty"`
	NextServer string `json:"next-server,omitempty"`
	TFTPPort   uint16 `json:"tftp-port,omitempty"`
	HTTPPort   uint16 `json:"http-port,omitempty"`
	ScriptPath string `json:"script-path,omitempty"`
	BootFiles  string `json:"boot-files,omitempty"`
}

// MarshalJSON writes the word on one line of ASCII, the same bytes each time.
func (w Word) MarshalJSON() ([]byte, error) {
	e := w.Says
	out := written{
		Cluster: w.Mark.Cluster, Born: w.Mark.Fence.Born, Epoch: w.Mark.Fence.Epoch, Identity: w.Mark.Identity,
		TFTPPort: e.TFTPPort, HTTPPort: e.HTTPPort, ScriptPath: e.ScriptPath, BootFiles: e.BootFiles,
	}
	if e.Addr.IsValid() {
		out.NextServer = e.Addr.String()
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote, strictly: a word that nobody can have written is an error.
func (w *Word) UnmarshalJSON(text []byte) error {
	var in written
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("mark: there is more behind it")
	}
	read := Word{
		Mark: takeover.Mark{Cluster: in.Cluster, Fence: takeover.Fence{Born: in.Born, Epoch: in.Epoch}, Identity: in.Identity},
		Says: takeover.Endpoint{TFTPPort: in.TFTPPort, HTTPPort: in.HTTPPort, ScriptPath: in.ScriptPath, BootFiles: in.BootFiles},
	}
	if in.NextServer != "" {
		addr, err := netip.ParseAddr(in.NextServer)
		if err != nil || !addr.Is4() {
			return fmt.Errorf("mark: next-server %+.80q: not an IPv4 address", in.NextServer)
		}
		read.Says.Addr = addr
	}
	if !clusterName(read.Mark.Cluster) || read.Mark.Fence.Epoch < 0 || read.Mark.Fence.Born < 0 {
		return errors.New("mark: no cluster's name, or an epoch below zero: this was not written by Tugboot")
	}
	if !isIdentity(read.Mark.Identity) || read.Says.ScriptPath != "" && !isPath(read.Says.ScriptPath) {
		return errors.New("mark: an identity or a script path that no cluster has: this was not written by Tugboot")
	}
	if _, err := read.Endpoint(); err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	*w = read
	return nil
}

// MarkPrefix begins the line of a file that holds its Word; a comment sign of the file's language stands before it.
const MarkPrefix = "tugboot-mark: "

// Header returns the lines with which a file of ours begins, each a comment that begins with sign.
func (w Word) Header(sign string) string {
	text, err := w.MarshalJSON()
	if err != nil {
		panic("render: a word without a text: " + err.Error()) // strings and numbers always have one
	}
	return sign + " Written by Tugboot for the cluster " + w.Mark.Cluster + ". Changes made here are lost: change the Hardware objects.\n" +
		sign + " " + MarkPrefix + string(text) + "\n"
}

// WordIn finds the word in a file that Header began; false when there is none.
func WordIn(text, sign string) (Word, bool, error) {
	for line := range strings.Lines(text) {
		after, found := strings.CutPrefix(line, sign+" "+MarkPrefix)
		if !found {
			continue
		}
		var w Word
		if err := w.UnmarshalJSON([]byte(strings.TrimSpace(after))); err != nil {
			return Word{}, true, err
		}
		return w, true, nil
	}
	return Word{}, false, nil
}

// isIdentity reports whether s can be a latch's identity, which is a UID of Kubernetes; empty is none.
func isIdentity(s string) bool {
	return len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-')
	})
}

// clusterName reports whether s can be a cluster's name: it becomes part of the names of classes, tags and policies.
func clusterName(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-')
	})
}

// Prefix begins every name of ours in a service, tugboot-CLUSTER-; several clusters share one service by it.
func (w Word) Prefix() string { return "tugboot-" + w.Mark.Cluster + "-" }
