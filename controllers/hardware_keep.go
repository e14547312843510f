package controllers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/statedir"
)

// keptName is the document of the state folder that holds the records, keptVersion its version.
const (
	keptName    = "hardware"
	keptVersion = 1
)

// keptHardware is what outlives a restart.
type keptHardware struct {
	Version int
	Records []keptRecord
}

// keptRecord is one record. Problems are not kept: they are found again.
type keptRecord struct {
	Namespace, Name, UID string
	Disabled             bool                       `json:",omitempty"`
	Place                keptPlace                  `json:",omitempty"`
	Reservations         []*reservation.Reservation `json:",omitempty"`
}

// keptPlace is where the object was.
type keptPlace string

const (
	inTheAPI  keptPlace = ""
	leaving   keptPlace = "Leaving" // in the API, moved, about to be deleted
	moved     keptPlace = "Moved"
	undecided keptPlace = "Undecided"
)

// kept returns what is to be kept; false until all initial lists are complete, for until then nothing new is known.
func (r *records) kept() (keptHardware, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pending) > 0 {
		return keptHardware{}, false
	}
	k := keptHardware{Version: keptVersion, Records: make([]keptRecord, 0, len(r.byKey)+len(r.absent.byKey))}
	for _, rec := range r.byKey {
		place := inTheAPI
		if rec.leaving {
			place = leaving
		}
		k.Records = append(k.Records, rec.kept(place))
	}
	for _, gone := range r.absent.byKey {
		place := undecided
		if gone.moved {
			place = moved
		}
		k.Records = append(k.Records, gone.record.kept(place))
	}
	return k, true
}

func (r *record) kept(place keptPlace) keptRecord {
	return keptRecord{
		Namespace: r.key.namespace, Name: r.key.name, UID: string(r.version.uid), Disabled: r.disabled, Place: place, Reservations: r.reservations,
	}
}

// check reports what no Tugboot would have kept.
func (k keptHardware) check() error {
	if k.Version != keptVersion {
		return fmt.Errorf("version %d of its content, and this Tugboot knows %d", k.Version, keptVersion)
	}
	for _, kept := range k.Records {
		switch kept.Place {
		case inTheAPI, leaving, moved, undecided:
		default:
			return fmt.Errorf("record of Hardware %.80q: place %.80q is not known", kept.Name, kept.Place)
		}
		for _, one := range kept.Reservations {
			if one == nil || one.Settings == nil || one.MAC.IsZero() || one.MAC.IsGroup() || !one.Address.Addr().Is4() || one.Lease == 0 {
				return fmt.Errorf("record of Hardware %.80q: a reservation without a MAC, an IPv4 address or a lease", kept.Name)
			}
		}
	}
	return nil
}

// restore takes over what was kept. It is not served before release, and counts until the API has said what is so.
func (r *records) restore(k keptHardware) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, kept := range k.Records {
		key := objectKey{kept.Namespace, kept.Name}
		if !r.pending[""] && !r.pending[key.namespace] {
			continue // a namespace that is not watched any more
		}
		for _, one := range kept.Reservations {
			r.pool.Share(one)
		}
		rec := &record{
			key: key, version: objectVersion{uid: types.UID(kept.UID)}, // without a resourceVersion it is converted anew
			disabled: kept.Disabled, leaving: kept.Place == leaving, reservations: kept.Reservations,
		}
		switch kept.Place {
		case inTheAPI, leaving:
			r.changes(key)
			r.byKey[key], r.unconfirmed[key] = rec, true
		case moved, undecided:
			r.changes(key)
			r.absent.add(rec, kept.Place == moved)
		}
		r.restored = true
	}
}

// release puts what was restored in force, unless the API has answered since.
func (r *records) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.restored && !r.released && len(r.pending) > 0 {
		r.released = true
		r.touch()
	}
}

// tooMany is the part, one in so many, of what was kept that may be missing in the first list and is withdrawn. More than
// that needs a person's word.
const tooMany = 5

// confirm compares what was kept with the first complete list of the scope. What is missing was deleted while nobody
// watched, and is withdrawn by the caller; but where that is too much to be believed, it stays in force, undecided.
func (s scope) confirm(fresh map[objectKey]*record) {
	var missing []objectKey
	kept := 0
	for key := range s.unconfirmed {
		if !s.covers(key) {
			continue
		}
		delete(s.unconfirmed, key)
		if rec := s.byKey[key]; rec == nil || rec.leaving {
			continue // it was moved
		}
		kept++
		if fresh[key] == nil {
			missing = append(missing, key)
		}
	}
	if len(missing)*tooMany <= kept {
		s.withdrawn += len(missing)
		return
	}
	for _, key := range missing {
		s.changes(key)
		s.absent.add(s.byKey[key], false)
		delete(s.byKey, key)
		delete(s.troubled, key)
	}
}

// keeper writes what is to be kept, at its own pace and never on the way of a publication.
type keeper struct {
	dir     *statedir.Dir
	records *records
	log     logr.Logger
	due     chan struct{} // holds one token when there may be something to write
	said    time.Time     // when a failure was said last; zero while there is none
}

// keepPause is the shortest time between two writes. They take at most a tenth of the time.
const keepPause = time.Second

func newKeeper(dir *statedir.Dir, r *records, log logr.Logger) *keeper {
	return &keeper{dir: dir, records: r, log: log, due: make(chan struct{}, 1)}
}

// load restores what was kept, and reports whether there was something. A file that is broken or not ours is not used.
func (k *keeper) load() bool {
	var kept keptHardware
	saved, err := k.dir.Load(keptName, &kept)
	if err == nil {
		if err = kept.check(); err != nil {
			err = fmt.Errorf("%q: %w: delete it", k.dir.File(keptName), err)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		k.log.Error(err, "what was kept from before this start is not used")
	default:
		k.records.restore(kept)
		k.log.Info("Hardware was kept from before this start; it is served if the Kubernetes API does not answer", "file", k.dir.File(keptName),
			"hardware", len(kept.Records), "lastChange", saved.Format(time.RFC3339), "age", time.Since(saved).Round(time.Second).String())
		return true
	}
	return false
}

// trigger has the records written soon. It never blocks.
func (k *keeper) trigger() {
	select {
	case k.due <- struct{}{}:
	default: // it is due already
	}
}

// run writes until ctx is done, and once more if something was due then.
func (k *keeper) run(ctx context.Context) {
	pause := keepPause
	for {
		select {
		case <-ctx.Done():
			select {
			case <-k.due:
				k.save()
			default:
			}
			return
		case <-k.due:
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		began := time.Now()
		k.save()
		pause = max(keepPause, 9*time.Since(began))
	}
}

// save writes the records. That it cannot is said in one line, and rarely while it lasts.
func (k *keeper) save() {
	kept, complete := k.records.kept()
	if !complete {
		return
	}
	err := k.dir.Save(keptName, kept)
	switch {
	case err != nil:
		k.trigger() // a full disk is emptied some time
		if time.Since(k.said) >= sayAgain {
			k.said = time.Now()
			k.log.Error(err, "Hardware could not be kept for after a restart; trying again: make room, or let this process write there")
		}
	case !k.said.IsZero():
		k.log.Info("Hardware is kept for after a restart again", "file", k.dir.File(keptName))
		k.said = time.Time{}
	}
}
