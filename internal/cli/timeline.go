package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
)

// timelineLimit is the most that a timeline may measure, in bytes.
const timelineLimit = 1 << 20

func newTimelineCommand() *cobra.Command {
	var server, output string
	c := &cobra.Command{
		Use:   "timeline MAC",
		Short: "Show what happened to a machine: each request, its answer and the reason",
		Long: "Timeline asks a running `tugboot serve` what it remembers of a machine and prints it, the oldest first: DHCP requests\n" +
			"and answers, files fetched by TFTP and HTTP, syslog lines, each with the reason for the answer or for the silence.",
		Example: "  tugboot timeline 52:54:00:00:02:01",
		Args:    exactArgs(1, "the MAC of one machine, such as 52:54:00:00:02:01"),
		RunE: func(c *cobra.Command, args []string) error {
			mac, err := reservation.ParseMAC(args[0])
			if err != nil {
				return usageError(err)
			}
			if output != "table" && output != "json" {
				return usageError(fmt.Errorf("--output %q: no such format: use table or json", output))
			}
			entries, err := fetchTimeline(c.Context(), server, mac)
			if err != nil {
				return err
			}
			if output == "json" {
				encoder := json.NewEncoder(c.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(entries)
			}
			return printTimeline(c.OutOrStdout(), entries)
		},
	}
	c.Flags().StringVar(&server, "server", "http://127.0.0.1:8080", "URL of tugboot's --metrics-bind-address")
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

func fetchTimeline(ctx context.Context, server string, mac reservation.MAC) ([]journal.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(server, "/")+timelinePath+mac.String(), nil)
	if err != nil {
		return nil, usageError(fmt.Errorf("--server %q: %w", server, err))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("--server %s: %w: is `tugboot serve` running there?", server, withoutURL(err))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, timelineLimit))
	if err != nil {
		return nil, fmt.Errorf("--server %s: %w", server, err)
	}
	switch {
	case response.StatusCode == http.StatusOK:
	case response.StatusCode == http.StatusNotFound && bytes.Contains(body, []byte(mac.String())): // Tugboot's own words
		return nil, fmt.Errorf("machine %s: not heard of since the `tugboot serve` at %s started: compare the MAC, and look whether its requests arrive there",
			mac, server)
	default:
		return nil, fmt.Errorf("--server %s: %s: %.200q", server, response.Status, bytes.TrimSpace(body))
	}
	var entries []journal.Entry
	if err := json.Unmarshal(body, &entries); err != nil {
		return nil, fmt.Errorf("--server %s: the answer is no timeline: %w", server, err)
	}
	return entries, nil
}

// withoutURL drops the method and URL from an error of the HTTP client, where they stand already.
func withoutURL(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

func printTimeline(w io.Writer, entries []journal.Entry) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "TIME\tSTAGE\tWHAT\tBYTES\tREASON")
	for _, e := range entries {
		size := "-"
		if e.Bytes > 0 {
			size = fmt.Sprint(e.Bytes)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", e.At.Format("15:04:05.000"), e.Stage, e.What, size, e.Reason)
	}
	return table.Flush()
}
