package kea

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
)

// Dir is the folder of the live files, as the operator's file names it.
const Dir = "/etc/kea/tugboot"

// comment begins a line that Kea does not look at.
const comment = "//"

// Render says w in Kea's language. The live files are the elements of client-classes and of each subnet's reservations,
// for <?include?>; a subnet without reservations has no file, for Kea takes no empty element. The error is that of Make.
func Render(w render.Wanted) (render.Output, error) {
	c, problems, err := Make(w)
	if err != nil {
		return render.Output{}, err
	}
	header := w.Word.Header(comment)
	whole, err := quote(wholeOf(c))
	if err != nil {
		return render.Output{}, err
	}
	classes, err := elements(c.Classes)
	if err != nil {
		return render.Output{}, err
	}
	live := []render.File{{Name: Marker(w.Word.Mark.Cluster) + ".classes", Text: header + classes}}
	for _, n := range c.Networks {
		if len(n.Reservations) == 0 {
			continue
		}
		hosts, err := elements(n.Reservations)
		if err != nil {
			return render.Output{}, err
		}
		live = append(live, render.File{Name: reservationsName(w.Word, n.Prefix), Text: header + hosts})
	}
	operator, err := operatorText(w.Word, c)
	if err != nil {
		return render.Output{}, err
	}
	return render.Output{
		Whole: header + whole + "\n", Operator: render.File{Name: Marker(w.Word.Mark.Cluster) + ".conf", Text: operator}, Live: live, Problems: problems,
	}, nil
}

func reservationsName(w render.Word, p netip.Prefix) string {
	return Marker(w.Mark.Cluster) + ".reservations-" + strings.ReplaceAll(p.String(), "/", "-")
}

// server is a whole configuration.
type server struct {
	Dhcp4 dhcp4 `json:"Dhcp4"`
}

type dhcp4 struct {
	Interfaces  interfaces `json:"interfaces-config"`
	Identifiers []string   `json:"host-reservation-identifiers"`
	Classes     []Class    `json:"client-classes"`
	Subnets     []subnet   `json:"subnet4"`
}

type interfaces struct {
	Interfaces []string `json:"interfaces"`
}

type subnet struct {
	ID           uint32        `json:"id"`
	Subnet       string        `json:"subnet"`
	Reservations []Reservation `json:"reservations"`
}

// wholeOf is the configuration of a server that says nothing else. The numbers of subnets count from 1.
func wholeOf(c Config) server {
	d := dhcp4{Interfaces: interfaces{Interfaces: []string{"*"}}, Identifiers: []string{"hw-address"}, Classes: c.Classes, Subnets: []subnet{}}
	for i, n := range c.Networks {
		d.Subnets = append(d.Subnets, subnet{ID: uint32(i + 1), Subnet: n.Prefix.String(), Reservations: n.Reservations})
	}
	return server{Dhcp4: d}
}

// elements are those of a list without its brackets.
func elements[T any](all []T) (string, error) {
	texts := make([]string, 0, len(all))
	for _, v := range all {
		text, err := quote(v)
		if err != nil {
			return "", err
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ",\n") + "\n", nil
}

// operatorText is a Kea configuration with all that the operator adds once to their own.
func operatorText(w render.Word, c Config) (string, error) {
	var text strings.Builder
	text.WriteString(comment + " Tugboot's part of the configuration of Kea's DHCPv4 server, for the cluster " + w.Mark.Cluster + ".\n" +
		comment + " Move what stands here into your own Dhcp4, and restart Kea when a file that it names was written.\n" +
		comment + " A Kea that Tugboot drives over its control channel needs no includes: it needs the control channel,\n" +
		comment + " a configuration file that Kea may write, and the subnets.\n" +
		"{ \"Dhcp4\": {\n" +
		"  " + comment + " Reservations are found by MAC address: a host-reservation-identifiers of yours must name hw-address.\n" +
		"  " + comment + " Who may use this socket may change all of Kea's configuration: leave its folder to Kea's own account and group.\n" +
		"  " + comment + " \"control-socket\": { \"socket-type\": \"unix\", \"socket-name\": \"/run/kea/kea4-ctrl-socket\" },\n" +
		"  " + comment + " Kea 2.7.7 and later changes reservations one by one, and without a new configuration, with this library.\n" +
		"  " + comment + " \"hooks-libraries\": [ { \"library\": \"libdhcp_host_cmds.so\" } ],\n" +
		"  " + comment + " Before your own classes.\n" +
		"  \"client-classes\": [ <?include \"" + Dir + "/" + Marker(w.Mark.Cluster) + ".classes\"?> ],\n" +
		"  " + comment + " Keep the ids of your own subnets. A subnet has a file while there are reservations in it.\n" +
		"  \"subnet4\": [\n")
	for i, n := range c.Networks {
		prefix, err := quote(n.Prefix.String())
		if err != nil {
			return "", err
		}
		include := ""
		if len(n.Reservations) > 0 {
			include = "<?include \"" + Dir + "/" + reservationsName(w, n.Prefix) + "\"?>"
		}
		comma := ","
		if i == len(c.Networks)-1 {
			comma = ""
		}
		text.WriteString("    { \"id\": " + strconv.Itoa(i+1) + ", \"subnet\": " + prefix + ", \"reservations\": [ " + include + " ] }" + comma + "\n")
	}
	return text.String() + "  ]\n} }\n", nil
}
