package takeover

import "strconv"

// Phases returns all phases in their order.
func Phases() []Phase {
	return []Phase{Idle, Bootstrap, HandoverSeen, Verifying, Managed, Degraded, Override, Conflict}
}

// String is the phase's name.
func (p Phase) String() string {
	switch p {
	case Idle:
		return "Idle"
	case Bootstrap:
		return "Bootstrap"
	case HandoverSeen:
		return "HandoverSeen"
	case Verifying:
		return "Verifying"
	case Managed:
		return "Managed"
	case Degraded:
		return "Degraded"
	case Override:
		return "Override"
	case Conflict:
		return "Conflict"
	}
	return "Phase(" + strconv.Itoa(int(p)) + ")"
}

// String is the state's name.
func (s State) String() string {
	switch s {
	case Shut:
		return "Shut"
	case Open:
		return "Open"
	case Unknown:
		return "Unknown"
	case Skipped:
		return "Skipped"
	}
	return "State(" + strconv.Itoa(int(s)) + ")"
}

// Passes reports whether a gate in this state is not in the way.
func (s State) Passes() bool { return s == Open || s == Skipped }

// String is the role's name.
func (r Role) String() string {
	switch r {
	case RoleUnknown:
		return "Unknown"
	case RoleBootstrap:
		return "Bootstrap"
	case RoleManagement:
		return "Management"
	}
	return "Role(" + strconv.Itoa(int(r)) + ")"
}
