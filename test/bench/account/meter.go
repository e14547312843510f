package account

import (
	"errors"
	"time"
)

// Meter measures a stretch of time.
type Meter struct {
	account         Account
	counts          bool
	begun           time.Time
	group, own, all time.Duration
	cpus            int
}

// Cost is what a stretch of time cost.
type Cost struct {
	// Took is how long it was.
	Took time.Duration
	// CPU is the time of the group; 0 without a group. Own is that of this process.
	CPU, Own time.Duration
	// Foreign is the share of all CPUs (0 to 1) that was taken by neither. Interrupts count as the work of whoever they hit.
	Foreign float64
}

// Start begins a stretch. folder is that of the group; empty for none.
func Start(folder string) (m Meter, err error) {
	m = Meter{account: Account{folder}, counts: folder != "", begun: time.Now()}
	err = m.read()
	return m, err
}

// Stop ends the stretch.
func (m Meter) Stop() (Cost, error) {
	took := time.Since(m.begun)
	end := m
	if err := end.read(); err != nil {
		return Cost{}, err
	}
	c := Cost{Took: took, CPU: end.group - m.group, Own: end.own - m.own}
	if whole := took * time.Duration(end.cpus); whole > 0 {
		c.Foreign = min(1, max(0, (end.all-m.all-c.CPU-c.Own).Seconds()/whole.Seconds()))
	}
	return c, nil
}

func (m *Meter) read() error {
	var problems [3]error
	if m.counts {
		m.group, problems[0] = m.account.CPU()
	}
	m.own, problems[1] = Own()
	m.all, m.cpus, problems[2] = Host()
	return errors.Join(problems[:]...)
}
