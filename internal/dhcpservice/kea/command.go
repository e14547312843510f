package kea

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The results of a command.
const (
	resultOK          = 0
	resultError       = 1
	resultUnsupported = 2
	resultEmpty       = 3
	resultPartial     = 5 // failed, and something was changed
)

// refusal is an answer with another result than 0.
type refusal struct {
	command string
	result  int
	text    string
}

// Error is one line, whatever Kea wrote.
func (r *refusal) Error() string {
	what := fmt.Sprintf("result %d", r.result)
	switch r.result {
	case resultError:
		what = "refused"
	case resultUnsupported:
		what = "not supported"
	case resultEmpty:
		what = "not found"
	case resultPartial:
		what = "failed and changed a part"
	}
	return fmt.Sprintf("%s: %s: %+.300q", r.command, what, r.text)
}

// channel is one server's control channel.
type channel struct {
	timeout  time.Duration
	exchange exchange
	overHTTP bool
	// services is what a Control Agent has to be told; asked is true once it is known whether it is one.
	services []string
	asked    bool
}

type question struct {
	Command   string   `json:"command"`
	Services  []string `json:"service,omitempty"`
	Arguments any      `json:"arguments,omitempty"`
}

// do gives a command and returns the arguments of the answer. An answer with another result than 0 is a *refusal.
func (c *channel) do(ctx context.Context, command string, arguments any) (json.RawMessage, string, error) {
	if err := c.find(ctx); err != nil {
		return nil, "", err
	}
	return c.send(ctx, command, arguments)
}

// daemonOnly is a command that every DHCP server has, and no Control Agent.
const daemonOnly = "dhcp-disable"

// find finds out whether a Control Agent answers, which has to be told for whom a command is. A server of 2.7.2 or later
// answers by itself.
func (c *channel) find(ctx context.Context) error {
	if c.asked || !c.overHTTP {
		return nil
	}
	names, err := c.list(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(names, daemonOnly) {
		c.services = []string{"dhcp4"}
	}
	c.asked = true
	return nil
}

// commands returns those that the server knows.
func (c *channel) commands(ctx context.Context) ([]string, error) {
	if err := c.find(ctx); err != nil {
		return nil, err
	}
	return c.list(ctx)
}

// list asks for the commands of whoever answers.
func (c *channel) list(ctx context.Context) ([]string, error) {
	arguments, _, err := c.send(ctx, "list-commands", nil)
	if err != nil {
		return nil, err
	}
	var names []string
	if err := json.Unmarshal(arguments, &names); err != nil {
		return nil, fmt.Errorf("list-commands: %w: this is not Kea's control channel", err)
	}
	return names, nil
}

func (c *channel) send(ctx context.Context, command string, arguments any) (json.RawMessage, string, error) {
	text, err := encode(question{Command: command, Services: c.services, Arguments: arguments})
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", command, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	answer, err := c.exchange(ctx, text)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", command, err)
	}
	return read(command, answer)
}

// read reads an answer: over HTTP it is a list with one element for each service.
func read(command string, answer []byte) (json.RawMessage, string, error) {
	type reply struct {
		Result    *int            `json:"result"`
		Text      string          `json:"text"`
		Arguments json.RawMessage `json:"arguments"`
	}
	var r reply
	var err error
	if answer = bytes.TrimSpace(answer); bytes.HasPrefix(answer, []byte("[")) {
		var all []reply
		if err = json.Unmarshal(answer, &all); err == nil && len(all) != 1 {
			err = fmt.Errorf("%d answers, want 1", len(all))
		}
		if err == nil {
			r = all[0]
		}
	} else {
		err = json.Unmarshal(answer, &r)
	}
	switch {
	case len(answer) == 0:
		err = errors.New("an empty answer")
	case err == nil && r.Result == nil:
		err = errors.New("an answer without a result")
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w: this is not Kea's control channel, or it was cut off", command, err)
	}
	if *r.Result != resultOK {
		return nil, "", &refusal{command: command, result: *r.Result, text: r.Text}
	}
	return r.Arguments, r.Text, nil
}

// encode writes JSON without changing what is JSON already.
func encode(v any) (json.RawMessage, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSpace(text.Bytes()), err
}
