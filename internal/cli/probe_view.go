package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tugboot/tugboot/internal/probe/offers"
)

// probeView is what a probe found; it is what -o json prints.
type probeView struct {
	// Judged is false where there was nothing to judge boot files and addresses by.
	Judged    bool            `json:"judged"`
	Agrees    bool            `json:"agrees"`
	Servers   []netip.Addr    `json:"servers"`
	Questions []probeQuestion `json:"questions"`
}

// probeQuestion is one question with the answers to it.
type probeQuestion struct {
	MAC      string         `json:"mac"`
	Kind     string         `json:"kind"`
	Stage    string         `json:"stage"`
	Arch     uint16         `json:"arch"`
	Answers  []probeAnswer  `json:"answers"`
	Findings []probeFinding `json:"findings"`
}

// probeAnswer is one answer.
type probeAnswer struct {
	Message      offers.Message `json:"message"`
	Proxy        bool           `json:"proxy"`
	Server       netip.Addr     `json:"server"`
	From         netip.Addr     `json:"from"`
	Address      netip.Addr     `json:"address"`
	PrefixLength int            `json:"prefixLength"`
	NextServer   netip.Addr     `json:"nextServer"`
	BootFile     string         `json:"bootFile"`
	File         string         `json:"file"`
	Option66     string         `json:"option66"`
	Option67     string         `json:"option67"`
	VendorClass  string         `json:"vendorClass"`
	Lease        uint32         `json:"leaseSeconds"`
	Milliseconds float64        `json:"milliseconds"`
}

// probeFinding is one thing in which an answer is not as it was meant.
type probeFinding struct {
	Server netip.Addr   `json:"server"`
	Field  offers.Field `json:"field"`
	Got    string       `json:"got"`
	Want   string       `json:"want"`
	Why    string       `json:"why"`
}

// add takes in a question.
func (v *probeView) add(q offers.Question, answers []offers.Offer, findings []offers.Finding) {
	p := probeQuestion{
		MAC: q.MAC.String(), Kind: q.Kind.Name, Stage: q.Kind.Stage.String(), Arch: uint16(q.Kind.Arch),
		Answers: []probeAnswer{}, Findings: []probeFinding{},
	}
	for _, a := range answers {
		p.Answers = append(p.Answers, probeAnswer{
			Message: a.Message, Proxy: a.Proxy(), Server: a.ServerID, From: a.From, Address: a.Address, PrefixLength: a.Mask, NextServer: a.NextServer,
			BootFile: a.BootFile(), File: a.File, Option66: a.Option66, Option67: a.Option67, VendorClass: a.VendorClass,
			Lease: a.Lease, Milliseconds: float64(a.RTT.Round(10*time.Microsecond)) / float64(time.Millisecond),
		})
	}
	for _, f := range findings {
		p.Findings = append(p.Findings, probeFinding{f.Server, f.Field, f.Got, f.Want, f.Why})
	}
	v.Servers = offers.AppendServers(v.Servers, answers)
	v.Questions = append(v.Questions, p)
	v.Agrees = v.wrong() == 0
}

// wrong counts the questions whose answers are not as meant.
func (v *probeView) wrong() int {
	n := 0
	for _, q := range v.Questions {
		if len(q.Findings) > 0 {
			n++
		}
	}
	return n
}

// verdict is the error that the command ends with.
func (v *probeView) verdict() error {
	if n := v.wrong(); n > 0 {
		return &exitError{code: exitNotReady, err: fmt.Errorf("%d of %d questions were not answered as they should be", n, len(v.Questions))}
	}
	return nil
}

// print writes the view in the format.
func (v *probeView) print(w io.Writer, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(v)
	}
	return v.table(w)
}

// table writes a line for each answer, and below them each fault once.
func (v *probeView) table(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "MAC\tKIND\tANSWER\tSERVER\tFROM\tADDRESS\tNEXT-SERVER\tBOOT FILE\tAGREES")
	for _, q := range v.Questions {
		if len(q.Answers) == 0 {
			fmt.Fprintf(table, "%s\t%s\tnone\t-\t-\t-\t-\t-\tno: answer\n", q.MAC, q.Kind)
		}
		for _, a := range q.Answers {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", q.MAC, q.Kind, a.answer(), addrOrDash(a.Server), addrOrDash(a.From),
				addrOrDash(a.Address), addrOrDash(a.NextServer), printable(orDash(a.BootFile)), v.agrees(q, a))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, line := range v.faults() {
		fmt.Fprintln(w, line)
	}
	if len(v.Servers) > 1 {
		fmt.Fprintf(w, "\nMore than one DHCP server answered: %s.\n", strings.Trim(fmt.Sprint(v.Servers), "[]"))
	}
	return nil
}

// answer is the type of an answer as the table has it.
func (a probeAnswer) answer() string {
	if a.Proxy {
		return string(a.Message) + " (proxy)"
	}
	return string(a.Message)
}

// agrees says which fields of an answer are not as meant.
func (v *probeView) agrees(q probeQuestion, a probeAnswer) string {
	server := a.Server
	if !server.IsValid() {
		server = a.From
	}
	var names []string
	for _, f := range q.Findings {
		if f.Server == server || !f.Server.IsValid() {
			names = append(names, string(f.Field))
		}
	}
	switch {
	case len(names) > 0:
		return "no: " + strings.Join(names, ", ")
	case !v.Judged:
		return "-"
	}
	return "yes"
}

// faults are the findings in sentences, each fault once with the number of questions that have it.
func (v *probeView) faults() []string {
	var order []string
	times := map[string]int{}
	for _, q := range v.Questions {
		for _, f := range q.Findings {
			who := ""
			if f.Server.IsValid() {
				who = " by " + f.Server.String()
			}
			text := fmt.Sprintf("%s%s: got %+.80q, want %+.80q: %s", f.Field, who, f.Got, f.Want, printable(f.Why))
			if times[text]++; times[text] == 1 {
				order = append(order, text)
			}
		}
	}
	if len(order) > 0 {
		order = append([]string{""}, order...)
	}
	for i, text := range order {
		if n := times[text]; n > 1 {
			order[i] += " (" + strconv.Itoa(n) + " questions)"
		}
	}
	return order
}

// addrOrDash is an address as tables have it, - for none.
func addrOrDash(a netip.Addr) string {
	if !a.IsValid() {
		return "-"
	}
	return a.String()
}
