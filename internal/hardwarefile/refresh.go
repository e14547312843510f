package hardwarefile

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

// refresh reads what changed, publishes a snapshot when the machines changed, and reports what is new of the problems.
func (f *Follower) refresh(now time.Time) {
	names, problem := list(f.path)
	if problem != nil && f.published {
		problem.Remedy += "; what was read before stays in force"
	}
	f.gone = problem
	changed := false
	if problem == nil {
		changed = f.forget(names)
		for i, name := range names {
			changed = f.read(name, int64(i), now) || changed
		}
	}
	if changed || !f.published {
		f.publish()
	}
	f.tell()
}

// forget drops the files that are no longer in the folder.
func (f *Follower) forget(names []string) (changed bool) {
	for name, known := range f.files {
		if slices.Contains(names, name) {
			continue
		}
		delete(f.files, name)
		f.removed = append(f.removed, known.published...)
		changed = changed || known.served
		f.log.Info("a hardware file is gone: its machines are answered no more", "file", shown(filepath.Base(name)))
	}
	return changed
}

func (f *Follower) read(name string, rank int64, now time.Time) (changed bool) {
	known := f.files[name]
	if known == nil {
		known = &file{name: name}
		f.files[name] = known
	}
	if known.rank != rank {
		known.rank, known.content.reservations = rank, ranked(known.content.reservations, rank)
	}
	switch known.read(now, f.store.Load(), f.shared) {
	case unchanged:
		return false
	case failed:
		f.metrics.reloads.WithLabelValues("failure").Inc()
		return false
	case partly:
		f.metrics.reloads.WithLabelValues("failure").Inc()
		return true
	case renewed:
	}
	f.metrics.reloads.WithLabelValues("success").Inc()
	f.metrics.lastSuccess.Set(float64(now.Unix()))
	return true
}

// publish makes one snapshot of all files. Nothing is published while the path cannot be read and while no file there can
// be: a store that is not ready says that there is nothing to go by. An empty folder is read, and holds no machines.
func (f *Follower) publish() {
	served := 0
	for _, known := range f.files {
		if known.served {
			served++
		}
	}
	if !f.published && (f.gone != nil || served == 0 && len(f.files) > 0) {
		return
	}
	snapshot := f.next()
	f.store.Publish(snapshot)
	f.published, f.removed = true, nil
	for _, known := range f.files {
		known.published = known.content.reservations
	}
	f.conflicts = snapshot.Conflicts()
	f.metrics.reservations.Set(float64(snapshot.Len()))
	f.log.Info("hardware files are read", "files", served, "reservations", snapshot.Len())
}

// next makes the snapshot of what the files hold now: from the one in force, or anew where that is less work.
func (f *Follower) next() *inventory.Snapshot {
	machines, changes := 0, len(f.removed)
	count := func(*reservation.Reservation) { changes++ }
	for _, known := range f.files {
		machines += len(known.content.reservations)
		difference(known.published, known.content.reservations, count, count)
	}
	if changes > machines/2 {
		all := make([]*reservation.Reservation, 0, machines)
		for _, name := range slices.Sorted(maps.Keys(f.files)) {
			all = append(all, f.files[name].content.reservations...)
		}
		return inventory.New(all)
	}
	removed, added := f.removed, make([]*reservation.Reservation, 0, changes)
	for _, known := range f.files {
		difference(known.published, known.content.reservations,
			func(r *reservation.Reservation) { removed = append(removed, r) },
			func(r *reservation.Reservation) { added = append(added, r) })
	}
	return f.store.Load().With(removed, added)
}

// tell reports every problem that was not there before, says which are gone, and counts those that are there.
func (f *Follower) tell() {
	current := map[string]reservation.Problem{}
	add := func(problems ...reservation.Problem) {
		for _, p := range problems {
			current[p.Error()] = p
		}
	}
	if f.gone != nil {
		add(*f.gone)
	}
	for _, known := range f.files {
		add(known.failure...)
		if known.served {
			add(known.content.problems...)
		}
	}
	for _, c := range f.conflicts {
		add(c.Problem())
	}
	for _, p := range sorted(current) {
		if _, known := f.problems[p.Error()]; known {
			continue
		}
		f.log.Info("a problem with a hardware file", "reason", p.Reason, "problem", p.Error(), "served", !p.Fatal)
		f.report(p)
	}
	for _, p := range sorted(f.problems) {
		if _, lasts := current[p.Error()]; !lasts {
			f.log.Info("a problem with a hardware file is gone", "reason", p.Reason, "problem", p.Error())
		}
	}
	f.problems = current
	f.metrics.problems.Set(float64(len(current)))
}

// sorted returns problems in the order of places: the lines of one file by number.
func sorted(problems map[string]reservation.Problem) []reservation.Problem {
	return slices.SortedFunc(maps.Values(problems), func(a, b reservation.Problem) int {
		if byPlace := comparePlaces(a.Source.Name, b.Source.Name); byPlace != 0 {
			return byPlace
		}
		return strings.Compare(a.Error(), b.Error())
	})
}
