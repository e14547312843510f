package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/statedir"
)

// away is the way to an API where nothing listens.
func away() *rest.Config { return &rest.Config{Host: "127.0.0.1:1"} }

func stateDir(t testing.TB) *statedir.Dir {
	t.Helper()
	dir, err := statedir.Open(t.TempDir())
	do(t, err)
	return dir
}

// keep writes the records as a controller does.
func keep(t testing.TB, dir *statedir.Dir, r *records) {
	t.Helper()
	k := newKeeper(dir, r, logr.Discard())
	k.save()
	if !k.said.IsZero() {
		t.Fatal("it was not written")
	}
}

// restarted are the records of a controller that starts with what is in the folder.
func restarted(t testing.TB, dir *statedir.Dir, scopes ...string) *records {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []string{""}
	}
	r := newRecords(scopes)
	if !newKeeper(dir, r, logr.Discard()).load() {
		t.Fatal("nothing was kept")
	}
	return r
}

// full is a machine with something in every field that is kept.
func full(t *testing.T) *rawHardware {
	t.Helper()
	hw := machine("a", "full", 1)
	dhcp, netboot := hw.Spec.Interfaces[0].DHCP, hw.Spec.Interfaces[0].Netboot
	dhcp.Hostname, dhcp.LeaseTime, dhcp.VLANID, dhcp.Arch, dhcp.UEFI = "host", 3600, "12", "x86_64", true
	dhcp.NameServers, dhcp.TimeServers = []string{"10.0.255.2"}, []string{"10.0.255.3"}
	dhcp.ClasslessStaticRoutes = []v1alpha1.ClasslessStaticRoute{{DestinationDescriptor: "10.9.0.0/16", Router: "10.0.255.4"}}
	netboot.IPXE = &v1alpha1.IPXE{Contents: "#!ipxe\n\u2603 <&>"}
	h := raw(t, "a", "full", 1, "1")
	var err error
	h.Spec, err = json.Marshal(hw.Spec)
	do(t, err)
	return h
}

// TestKeptIsServedWhileTheAPIIsAway starts a controller after another has stopped, without an API.
func TestKeptIsServedWhileTheAPIIsAway(t *testing.T) {
	dir := stateDir(t)
	before := newRecords([]string{""})
	all := scope{before, ""}
	gone, disabled := raw(t, "a", "gone", 2, "1"), raw(t, "a", "disabled", 3, "1")
	disabled.Annotations = map[string]string{v1alpha1.AnnotationDisabled: ""}
	do(t, all.Replace([]any{full(t), gone, disabled}, "1"))
	do(t, all.Delete(markedForMove(gone, "2")))
	keep(t, dir, before)
	want := before.byKey[objectKey{"a", "full"}]
	if len(want.problems) > 0 || len(want.reservations) != 1 || reflect.ValueOf(*want.reservations[0]).FieldByName("Routes").Len() != 1 {
		t.Fatalf("the full machine is not full: %+v", want)
	}

	changes := make(chan struct{}, 100)
	f := followWith(t, HardwareOptions{Config: away(), State: dir, Changed: func() { changes <- struct{}{} }})
	f.served(t, 1, 2)
	<-changes
	if r, _ := f.store.Load().ByMAC(mac(1)); !reflect.DeepEqual(r, want.reservations[0]) {
		t.Errorf("kept %+v, was %+v", r, want.reservations[0])
	}
	if moved, stayed := f.Moved(); moved != 1 || stayed != 2 {
		t.Errorf("moved %d and stayed %d, want 1 and 2", moved, stayed)
	}
	eventually(t, func() string {
		for _, words := range []string{"Hardware was kept from before this start", `"hardware"=3`, "the last snapshot is served on", "what was kept from before this start is served"} {
			if f.logged(words) != 1 {
				return fmt.Sprintf("it does not say once %q: %q", words, f.lines)
			}
		}
		return ""
	})

	f.stop()
	var kept keptHardware
	if _, err := dir.Load(keptName, &kept); err != nil || len(kept.Records) != 3 {
		t.Errorf("after a start without an API %d records are kept (%v), want all 3", len(kept.Records), err)
	}
}

// TestFirstListAfterARestart: what the API says after a restart, against what was kept.
func TestFirstListAfterARestart(t *testing.T) {
	const n = 10
	for _, test := range []struct {
		name                        string
		marked, listed              int // of n, the first are marked for a move and the last are listed
		served, moved, stay, remove int
	}{
		{"all there", 0, 10, 10, 0, 10, 0},
		{"two of ten deleted", 0, 8, 8, 0, 8, 2},
		{"three of ten deleted", 0, 7, 10, 0, 10, 0},
		{"all deleted", 0, 0, 10, 0, 10, 0},
		{"all moved", 10, 0, 10, 10, 0, 0},
		{"eight moved, two there", 8, 2, 10, 8, 2, 0},
		{"five moved, one of five deleted", 5, 4, 9, 5, 4, 1},
		{"five moved, two of five deleted", 5, 3, 10, 5, 5, 0},
		{"marked, and still there", 10, 10, 10, 0, 10, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := stateDir(t)
			before := newRecords([]string{""})
			all := scope{before, ""}
			var list []any
			for i := range n {
				list = append(list, raw(t, "a", fmt.Sprint("m", i), i, "1"))
			}
			do(t, all.Replace(list, "1"))
			for i := range test.marked {
				list[i] = markedForMove(list[i].(*rawHardware), "2")
				do(t, all.Update(list[i]))
			}
			keep(t, dir, before)

			for round := range 2 { // and a second restart decides nothing either
				after := restarted(t, dir)
				do(t, scope{after, ""}.Replace(list[n-test.listed:], "9"))
				s, ok := after.take()
				moved, stayed := (&HardwareController{records: after}).Moved()
				if !ok || len(s.added) != test.served || moved != test.moved || stayed != test.stay || s.moved != test.moved {
					t.Errorf("round %d: served %d, moved %d, stayed %d; want %d, %d, %d", round, len(s.added), moved, stayed, test.served, test.moved, test.stay)
				}
				if round == 0 && s.withdrawn != test.remove || s.undecided != test.served-test.moved-test.listed {
					t.Errorf("round %d: withdrawn %d, undecided %d", round, s.withdrawn, s.undecided)
				}
				keep(t, dir, after)
			}
		})
	}
}

// TestUndecidedIsAProblemUntilThePersonDecides by restoring the objects.
func TestUndecidedIsAProblemUntilThePersonDecides(t *testing.T) {
	dir := stateDir(t)
	before := newRecords([]string{""})
	one, two := raw(t, "a", "one", 1, "1"), raw(t, "a", "two", 2, "1")
	do(t, scope{before, ""}.Replace([]any{one, two}, "1"))
	keep(t, dir, before)
	synctest.Test(t, func(t *testing.T) {
		f, all := offline(t)
		f.keeper = newKeeper(dir, f.records, logr.Discard())
		if !f.keeper.load() {
			t.Fatal("nothing was kept")
		}
		do(t, all.Replace(nil, "5"))
		f.holds(t, 0, 2, 1, 2)
		if len(f.reported) != 1 || f.reported[0].Reason != ReasonKeptHardwareMissing {
			t.Fatalf("reported %v", f.reported)
		}
		for _, words := range []string{dir.File(keptName), `"2"`, "restore the objects", "delete this file"} {
			if !strings.Contains(f.reported[0].Error(), words) {
				t.Errorf("it does not say %q: %s", words, f.reported[0].Error())
			}
		}
		do(t, all.Add(raw(t, "a", "one", 1, "6")))
		do(t, all.Add(raw(t, "a", "two", 2, "6")))
		f.holds(t, 0, 2, 1, 2)
		if n := f.metric(t, "tugboot_hardware_problems", ReasonKeptHardwareMissing); n != 0 || f.logged("a problem with a Hardware is gone") == 0 {
			t.Errorf("%v problems when the objects are back; log %q", n, f.lines)
		}
	})
}

func TestKeptOfOtherNamespacesAndVersions(t *testing.T) {
	dir := stateDir(t)
	before := newRecords([]string{"a", "b"})
	one := raw(t, "a", "one", 1, "1")
	one.Annotations = map[string]string{v1alpha1.AnnotationDisabled: ""}
	do(t, scope{before, "a"}.Replace([]any{one, raw(t, "a", "two", 2, "1")}, "1"))
	do(t, scope{before, "b"}.Replace([]any{raw(t, "b", "three", 3, "1")}, "1"))
	keep(t, dir, before)

	after := restarted(t, dir, "a")
	if len(after.byKey) != 2 {
		t.Errorf("%d records of a, want 2: b is not watched any more", len(after.byKey))
	}
	if _, ok := after.take(); ok {
		t.Error("what was kept is served although the API was not given time to answer")
	}
	after.release()
	if s, ok := after.take(); !ok || s.complete || len(s.added) != 1 {
		t.Errorf("took %v %+v", ok, s)
	}
	// the move marked it while nobody watched, and took the annotation that disables it away
	rec, err := scope{after, "a"}.of(markedForMove(one, "1"))
	if err != nil || !rec.disabled || !rec.leaving {
		t.Errorf("%+v, %v: it was disabled before", rec, err)
	}
	// of the same version it is converted anew all the same: this Tugboot may know more
	rec, err = scope{after, "a"}.of(raw(t, "a", "two", 4, "1"))
	if err != nil || rec.reservations[0].MAC != mac(4) {
		t.Errorf("%+v, %v", rec, err)
	}
	do(t, scope{after, "a"}.Replace(nil, "1"))
	after.release()
	if s, _ := after.take(); !s.complete {
		t.Error("not complete when all is listed")
	}
}

func TestFilesThatAreNotTaken(t *testing.T) {
	good := keptRecord{Namespace: "a", Name: "one", Reservations: []*reservation.Reservation{raw(t, "a", "one", 1, "1").convert(nil).reservations[0]}}
	changed := func(change func(*keptRecord, *reservation.Reservation)) keptHardware {
		r, one := good, *good.Reservations[0]
		settings := *one.Settings
		one.Settings = &settings
		r.Reservations = []*reservation.Reservation{&one}
		change(&r, &one)
		return keptHardware{Version: keptVersion, Records: []keptRecord{r}}
	}
	for name, test := range map[string]struct {
		content any
		want    string
	}{
		"another version":   {keptHardware{Version: 2}, "version 2"},
		"a strange place":   {changed(func(k *keptRecord, _ *reservation.Reservation) { k.Place = "Nowhere\n" }), `place "Nowhere\n"`},
		"no MAC":            {changed(func(_ *keptRecord, r *reservation.Reservation) { r.MAC = reservation.MAC{} }), "without a MAC"},
		"no lease":          {changed(func(_ *keptRecord, r *reservation.Reservation) { r.Lease = 0 }), "without a MAC"},
		"no reservation":    {changed(func(k *keptRecord, _ *reservation.Reservation) { k.Reservations[0] = nil }), "without a MAC"},
		"something foreign": {map[string]string{"Colour": "blue"}, "Colour"},
		"a list":            {[]int{1}, "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := stateDir(t)
			do(t, dir.Save(keptName, test.content))
			f := followWith(t, HardwareOptions{Config: away(), State: dir})
			eventually(t, func() string {
				if f.logged("is not used") != 1 || f.logged(dir.File(keptName)) != 1 || f.logged(fmt.Sprintf("%q", test.want)[1:len(fmt.Sprintf("%q", test.want))-1]) == 0 {
					return fmt.Sprintf("it does not say what is wrong with which file: %q", f.lines)
				}
				return ""
			})
			time.Sleep(releaseAfter + 200*time.Millisecond)
			select {
			case <-f.store.Ready():
				t.Error("a snapshot was published")
			default:
			}
			f.stop()
			if _, err := os.Stat(dir.File(keptName)); err != nil {
				t.Error("the file is gone, and nobody can look what was in it:", err)
			}
		})
	}
	if err := changed(func(*keptRecord, *reservation.Reservation) {}).check(); err != nil {
		t.Error("a good one is refused:", err)
	}
}

// TestWritesAreGathered: however fast the changes, they are written at a pace, and the last one is written in the end.
func TestWritesAreGathered(t *testing.T) {
	dir := stateDir(t)
	synctest.Test(t, func(t *testing.T) {
		f, all := offline(t)
		f.keeper = newKeeper(dir, f.records, logr.Discard())
		done := make(chan struct{})
		go func() { defer close(done); f.keeper.run(t.Context()) }()
		t.Cleanup(func() { <-done })
		do(t, all.Replace(nil, "1"))
		var inodes []uint64
		for n := range 3000 {
			do(t, all.Add(raw(t, "a", fmt.Sprint("m", n), n, "1")))
			time.Sleep(time.Millisecond)
			if file, err := os.Stat(dir.File(keptName)); err == nil {
				inodes = append(inodes, file.Sys().(*syscall.Stat_t).Ino)
			}
		}
		if writes := len(slices.Compact(inodes)); writes < 2 || writes > 3 {
			t.Errorf("%d writes in 3 seconds of changes, want one a second", writes)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		var kept keptHardware
		if _, err := dir.Load(keptName, &kept); err != nil || len(kept.Records) != 3000 {
			t.Errorf("%d records were kept in the end (%v)", len(kept.Records), err)
		}
	})
}

// TestLastChangeIsWrittenAtTheEnd: a process that is stopped does not wait, and loses nothing.
func TestLastChangeIsWrittenAtTheEnd(t *testing.T) {
	dir := stateDir(t)
	f := followWith(t, HardwareOptions{Config: away(), State: dir})
	do(t, scope{f.records, ""}.Replace([]any{raw(t, "a", "one", 1, "1")}, "1"))
	f.served(t, 1)
	f.stop()
	var kept keptHardware
	if _, err := dir.Load(keptName, &kept); err != nil || len(kept.Records) != 1 {
		t.Errorf("%+v, %v", kept, err)
	}

	ended, end := context.WithCancel(t.Context())
	end()
	for range 20 { // what is due and the end come at once, in either order
		dir = stateDir(t)
		k := newKeeper(dir, f.records, logr.Discard())
		k.trigger()
		k.run(ended)
		if _, err := dir.Load(keptName, &kept); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAFolderThatFills: what cannot be written is said once, and is written when there is room.
func TestAFolderThatFills(t *testing.T) {
	dir := stateDir(t)
	do(t, os.Mkdir(dir.File(keptName), 0o700)) // nothing can be renamed to this
	synctest.Test(t, func(t *testing.T) {
		f, all := offline(t)
		f.keeper = newKeeper(dir, f.records, f.log)
		done := make(chan struct{})
		go func() { defer close(done); f.keeper.run(t.Context()) }()
		t.Cleanup(func() { <-done })
		do(t, all.Replace(nil, "1"))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := f.logged("could not be kept"); n != 1 {
			t.Errorf("said %d times: %q", n, f.lines)
		}
		do(t, os.Remove(dir.File(keptName)))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, err := dir.Load(keptName, &keptHardware{}); err != nil || f.logged("restart again") != 1 {
			t.Errorf("%v: %q", err, f.lines)
		}
	})
}

// TestRestartsWithARealAPI: a restart while the API is away, then one after many objects were deleted meanwhile.
func TestRestartsWithARealAPI(t *testing.T) {
	plane, config := ownPlane(t)
	_, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{Paths: []string{crdPath()}})
	do(t, err)
	c, dir := newClient(t, config), stateDir(t)
	for n := 1; n <= 6; n++ {
		create(t, c, machine("default", fmt.Sprint("m", n), n))
	}
	start := func() *fixture { return followWith(t, HardwareOptions{Config: config, State: dir}) }
	f := start()
	f.served(t, 1, 2, 3, 4, 5, 6)
	f.stop()

	kill(t, plane)
	f = start()
	f.served(t, 1, 2, 3, 4, 5, 6)
	do(t, plane.ControlPlane.GetAPIServer().Start())
	eventually(t, func() string {
		if f.logged("the first snapshot is published") != 1 {
			return "it does not find the API again"
		}
		return ""
	})
	f.served(t, 1, 2, 3, 4, 5, 6)
	f.stop()

	do(t, c.Delete(t.Context(), machine("default", "m1", 1))) // one of six
	f = start()
	f.served(t, 2, 3, 4, 5, 6)
	f.stop()

	do(t, c.Delete(t.Context(), machine("default", "m2", 2)))
	do(t, c.Delete(t.Context(), machine("default", "m3", 3))) // two of five
	f = start()
	f.ready(t)
	eventually(t, func() string {
		if p := f.problems(); len(p) != 1 || p[0].Reason != ReasonKeptHardwareMissing {
			return fmt.Sprintf("reported %v", p)
		}
		return ""
	})
	f.served(t, 2, 3, 4, 5, 6)
	f.stop()

	do(t, os.Remove(dir.File(keptName))) // the person's word
	f = start()
	f.served(t, 4, 5, 6)
}

// BenchmarkKeepHundredThousand measures one write of 100,000 Hardware, and says how large the file is.
func BenchmarkKeepHundredThousand(b *testing.B) {
	r := newRecords([]string{""})
	list := make([]any, 100_000)
	for n := range list {
		h := raw(b, "tink-system", fmt.Sprint("machine-", n), n, "1")
		h.Spec = []byte(strings.Replace(string(h.Spec), address(n), fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255), 1))
		list[n] = h
	}
	do(b, scope{r, ""}.Replace(list, "1"))
	dir := stateDir(b)
	for b.Loop() {
		keep(b, dir, r)
	}
	file, err := os.Stat(dir.File(keptName))
	do(b, err)
	b.ReportMetric(float64(file.Size())/1e6, "MB")
	began := time.Now()
	restarted(b, dir)
	b.ReportMetric(time.Since(began).Seconds(), "s-to-load")
}
