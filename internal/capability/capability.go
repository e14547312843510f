package capability

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	libcap "kernel.org/pub/linux/libs/security/libcap/cap"
)

// Serving returns what serving machines needs: NET_BIND_SERVICE for ports 67, 69 and 514, NET_RAW for answers by link-layer
// unicast. The image gives the program's file these and no others.
func Serving() []libcap.Value { return []libcap.Value{libcap.NET_BIND_SERVICE, libcap.NET_RAW} }

// Missing is a capability that this process cannot have.
type Missing struct {
	// Capability is its name as container runtimes and Kubernetes write it, such as NET_RAW.
	Capability string
	// Cause says in one line why it is missing, Remedy what to do.
	Cause, Remedy string
}

// Raise makes each wanted capability that is permitted effective, on every thread of the process, and changes no other.
// It returns those that are not permitted, in the order of wanted. Call it before the sockets are opened that need them.
// An error means that the kernel refused what it permits, as a security module may.
//
// A file whose capabilities are permitted but not effective starts wherever it is run; one whose capabilities are
// effective is refused by execve(2) where the bounding set lacks one of them. So the program raises them itself.
func Raise(wanted ...libcap.Value) ([]Missing, error) {
	set, err := libcap.GetPID(0)
	if err != nil {
		return nil, fmt.Errorf("capabilities of this process: %w", err)
	}
	var missing []Missing
	var raise []libcap.Value
	for _, v := range wanted {
		permitted, err := set.GetFlag(libcap.Permitted, v)
		if err != nil {
			return nil, fmt.Errorf("capability %s: is it permitted: %w", name(v), err)
		}
		effective, err := set.GetFlag(libcap.Effective, v)
		if err != nil {
			return nil, fmt.Errorf("capability %s: is it effective: %w", name(v), err)
		}
		switch {
		case !permitted:
			m := Missing{Capability: name(v)}
			if m.Cause, m.Remedy, err = cause(v); err != nil {
				return nil, err
			}
			missing = append(missing, m)
		case !effective:
			raise = append(raise, v)
		}
	}
	if len(raise) == 0 {
		return missing, nil
	}
	if err := set.SetFlag(libcap.Effective, true, raise...); err != nil {
		return missing, fmt.Errorf("make capabilities %v effective: %w", raise, err)
	}
	if err := set.SetProc(); err != nil {
		return missing, fmt.Errorf("make capabilities %v effective: %w: run as root, or see what the host's security module denies",
			raise, err)
	}
	return missing, nil
}

// Effective reports whether this process has v in force now.
func Effective(v libcap.Value) (bool, error) {
	set, err := libcap.GetPID(0)
	if err != nil {
		return false, fmt.Errorf("capabilities of this process: %w", err)
	}
	effective, err := set.GetFlag(libcap.Effective, v)
	if err != nil {
		return false, fmt.Errorf("capability %s: is it effective: %w", name(v), err)
	}
	return effective, nil
}

// cause says why v is not permitted, in the order in which the kernel decides at execve(2), and what to do.
func cause(v libcap.Value) (why, remedy string, err error) {
	bounded, err := libcap.GetBound(v)
	if err != nil {
		return "", "", fmt.Errorf("capability %s: is it in the bounding set: %w", name(v), err)
	}
	if !bounded {
		return "the bounding set lacks it", "grant " + name(v) + " to the container or service", nil
	}
	if os.Geteuid() == 0 {
		return "this process has given it up", "start it as root, or grant " + name(v), nil
	}
	noNewPrivs, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err != nil {
		return "", "", fmt.Errorf("ask whether no_new_privs is set: %w", err)
	}
	if noNewPrivs != 0 {
		return fmt.Sprintf("no_new_privs is set (allowPrivilegeEscalation: false), under which user %d keeps of the file's capabilities "+
				"only those it had before", os.Geteuid()),
			"run as user 0 with " + name(v) + " granted, or let the container runtime hand it over", nil
	}
	return fmt.Sprintf("user %d was not given it and the program's file does not carry it", os.Geteuid()),
		"run as root, or as root once: setcap " + fileText() + "=p tugboot", nil
}

// fileText is what the program's file is to carry, in the words of setcap(8).
func fileText() string {
	var names []string
	for _, v := range Serving() {
		names = append(names, v.String())
	}
	return strings.Join(names, ",")
}

// name is how container runtimes and Kubernetes write v.
func name(v libcap.Value) string { return strings.ToUpper(strings.TrimPrefix(v.String(), "cap_")) }
