package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/dhcpload"
	"github.com/tugboot/tugboot/test/bench/results"
)

// generatorTurn shows how fast the generator is, against a C program that sends back what it gets.
func generatorTurn(ctx context.Context, s *site) (_ []results.Sample, err error) {
	echo := contender.Contender{Name: "echo", Limit: true, Configure: func(setting contender.Setting) (contender.Start, error) {
		return contender.Start{Args: []string{setting.Stub, "echo", "67"}}, nil
	}}
	machines := s.plan.sizes[0]
	i, err := s.configure(echo, machines)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, i.stop()) }()
	if err := errors.Join(s.quiet(ctx), i.run()); err != nil {
		return nil, err
	}
	sample := results.Sample{Suite: "dhcp", Case: strconv.Itoa(machines)}
	var found dhcpload.Found
	err = i.until(ctx, 5*time.Second, func() (err error) {
		found, err = call[dhcpload.Found](ctx, s, loadSearch, dhcpload.Search{
			Step: s.plan.step, Steps: s.plan.steps, Confirm: s.plan.confirm,
			Load: dhcpload.Load{Machines: machines, Deadline: deadline, Echo: true, Account: i.account.Folder()}})
		return err
	})
	if err != nil {
		sample.Failed = i.trouble(err).Error()
		return []results.Sample{sample}, nil
	}
	sample.Values, sample.Foreign = rates(found)
	return []results.Sample{sample}, nil
}
