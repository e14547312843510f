package takeover

import (
	"fmt"
	"net/netip"
	"testing"
)

// follow returns every moment that may come after now.
func (m *model) follow(now moment) []moment {
	var after []moment
	for _, role := range []Role{RoleBootstrap, RoleManagement} {
		for _, crash := range []bool{false, true} {
			then, step := m.act(now, role, crash)
			m.judge(now, then, role, step)
			after = append(after, then)
		}
	}
	for i := range now.post {
		if now.post[i] != (letter{}) {
			arrived := m.deliver(now, i, false)
			was, is := now.service, arrived.service
			if !m.deaf && (is.mark.Fence.Less(was.mark.Fence) || was.says.Addr == tinkAddr() && is.says.Addr != was.says.Addr) {
				m.t.Fatalf("the service went back from %+v to %+v", was, is)
			}
			after = append(after, arrived, m.deliver(now, i, true))
		}
	}
	if now.stage < stageDone && (now.stage > stageBefore || now.atM) {
		after = append(after, now.next())
	}
	if then := now; !now.atM && now.flaps > 0 {
		then.atM = true
		after = append(after, then)
	} else if now.atM && now.stage > stageBefore && now.flaps > 0 {
		then.atM, then.flaps = false, now.flaps-1
		after = append(after, then)
	}
	if then := now; now.atB && now.atM {
		then.atB = false
		after = append(after, then)
	}
	return after
}

// judge checks one step against what must always hold.
func (m *model) judge(now, then moment, role Role, step Step) {
	tink := tinkAddr()
	follows := role == RoleBootstrap && m.remote && now.latched(RoleManagement)
	if then.latched(role) && !now.latched(role) && !follows && now.service.says.Addr != tink {
		m.t.Fatalf("the %s instance latches before the service was read back: %+v", role, now)
	}
	if len(step.Write) > 0 && step.Mark.Fence.Less(now.service.mark.Fence) {
		m.t.Fatalf("the %s instance writes below the mark that it sees: %+v", role, now)
	}
	if len(step.Write) > 0 && step.Advertise.Addr == tink && (now.stage < stageBatonDeleted || !now.atM && !now.latched(role)) {
		m.t.Fatalf("the %s instance writes M too early: %+v", role, now)
	}
	if now.latched(role) && then.part(role).stored != (note{}) && then.part(role).stored.Advertised.Addr != tink {
		m.t.Fatalf("the %s instance went back from M: %+v", role, then)
	}
	if e := step.Mark.Fence.Epoch; len(step.Write) > 0 && step.Mark.Fence.Born == 1000 && e < int64(len(then.wrote)) && then.wrote[e] != role {
		m.t.Fatalf("two writers with epoch %d: %+v", e, then)
	}
	if now.latched(role) && len(step.Write) > 0 && step.Advertise.Addr != tink {
		m.t.Fatalf("the %s instance writes B after the latch: %+v", role, now)
	}
}

func tinkAddr() netip.Addr { return netip.MustParseAddr(addrM) }

func (now moment) latched(role Role) bool {
	identity := "kind-1"
	if role == RoleManagement {
		identity = "management-1"
	}
	return Latched(role, identity, now.part(role).stored.baton())
}

// settle lets the bootstrap instance die, the move end and every letter arrive, and says what the service tells then.
func (m *model) settle(now moment) error {
	for now.stage < stageDone {
		now = now.next()
	}
	now.atB, now.atM = false, true
	now.bootstrap, now.wrote, now.flaps = part{}, [8]Role{}, 0
	if m.settled[now] {
		return nil
	}
	m.settled[now] = true
	for range 12 {
		now, _ = m.act(now, RoleManagement, false)
		for i := range now.post {
			if now.post[i] != (letter{}) {
				now = m.deliver(now, i, false)
			}
		}
	}
	if now.service.says.Addr != tinkAddr() || now.service.mark.Identity != "management-1" || !now.latched(RoleManagement) {
		return fmt.Errorf("ends with the service at %+v, the management instance at %+v", now.service, now.ofManaged)
	}
	return nil
}

// TestModel explores every order of events.
func TestModel(t *testing.T) {
	for _, m := range []*model{{}, {remote: true}, {deaf: true}, {remote: true, deaf: true}} {
		t.Run(fmt.Sprintf("remote=%t,deaf=%t", m.remote, m.deaf), func(t *testing.T) {
			m.t, m.seen, m.asked, m.settled = t, map[moment]bool{}, map[question]Step{}, map[moment]bool{}
			m.explore(moment{atB: true, flaps: 1})
			t.Logf("%d states; %d different observations", len(m.seen), len(m.asked))
		})
	}
}

func (m *model) explore(first moment) {
	m.queue, m.seen[first] = []moment{first}, true
	for len(m.queue) > 0 {
		now := m.queue[0]
		m.queue = m.queue[1:]
		if err := m.settle(now); err != nil {
			m.t.Fatalf("from %+v: %v", now, err)
		}
		for _, then := range m.follow(now) {
			if !m.seen[then] {
				m.seen[then] = true
				m.queue = append(m.queue, then)
			}
		}
	}
}
