package doctor

// Level is how much a finding matters.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // serve works, and not as well as it could, or not for every machine
	Error   Level = "error"   // keeps serve from working
)

// Word is the level as the first column of a list has it; what keeps serve from working stands out.
func (l Level) Word() string {
	switch l {
	case OK:
		return "ok"
	case Warning:
		return "warn"
	case Error:
		return "FAIL"
	}
	return string(l)
}

// Finding is what one check came to.
type Finding struct {
	// Check is the check's name: one of Checks.
	Check string
	Level Level
	// What was found, and Remedy what to do about it; OK needs none. Both may hold what came from the network or from objects:
	// make them printable where they are printed.
	What, Remedy string
}

// check is one of the checks, in the order of Checks.
type check struct {
	name  string
	judge func(*Facts) []Finding
}

func checks() []check {
	return []check{
		{"port", ports}, {"capability", capabilities}, {"interface", interfaces}, {"address", address}, {"buffer", buffer},
		{"dhcp", foreign}, {"api", api}, {"crd", crds}, {"rights", rights}, {"hardware", hardware}, {"ipxe", files},
		{"hook", hook}, {"state", state},
	}
}

// Checks returns the names of the checks in the order in which they are judged.
func Checks() []string {
	var names []string
	for _, c := range checks() {
		names = append(names, c.name)
	}
	return names
}

// Judge returns what all checks come to, at least one finding of each, in the order of Checks.
func Judge(f *Facts) []Finding {
	var all []Finding
	for _, c := range checks() {
		for _, found := range c.judge(f) {
			found.Check = c.name
			all = append(all, found)
		}
	}
	return all
}

// Count returns how many findings are of a level.
func Count(all []Finding, l Level) int {
	n := 0
	for _, f := range all {
		if f.Level == l {
			n++
		}
	}
	return n
}

// one is a list of one finding.
func one(l Level, what, remedy string) []Finding {
	return []Finding{{Level: l, What: what, Remedy: remedy}}
}

// passed is a check that has nothing to look at.
func passed(why string) []Finding { return one(OK, "passed over: "+why, "") }
