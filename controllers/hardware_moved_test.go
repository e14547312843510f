package controllers

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	tugbootv1alpha1 "github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

// markedForMove is the object as Cluster API leaves it before it deletes it: with one annotation in the place of all.
func markedForMove(h *rawHardware, version string) *rawHardware {
	marked := h.DeepCopyObject().(*rawHardware)
	marked.ResourceVersion = version
	marked.Annotations = map[string]string{tugbootv1alpha1.DeleteForMove: ""}
	return marked
}

// holds checks who is served now, by the machines' numbers, and what Moved says.
func (f *fixture) holds(t *testing.T, moved, stayed int, want ...int) {
	t.Helper()
	time.Sleep(time.Second) // in the bubble
	synctest.Wait()
	s := f.store.Load()
	for _, n := range want {
		if r, ok := s.ByMAC(mac(n)); !ok || r.Address.Addr().String() != address(n) {
			t.Errorf("machine %d is not served", n)
		}
	}
	if s.Len() != len(want) {
		t.Errorf("%d machines are served, want %v", s.Len(), want)
	}
	if m, st := f.Moved(); m != moved || st != stayed {
		t.Errorf("moved %d and stayed %d, want %d and %d", m, st, moved, stayed)
	}
	if got := f.metric(t, "tugboot_hardware_moved"); got != float64(moved) {
		t.Errorf("the metric says that %v were moved, want %d", got, moved)
	}
}

func TestMovedHardwareIsServedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, all := offline(t)
		one, two, three := raw(t, "a", "one", 1, "1"), raw(t, "a", "two", 2, "1"), raw(t, "a", "three", 3, "1")
		do(t, all.Replace([]any{one, two, three}, "1"))
		f.holds(t, 0, 3, 1, 2, 3)

		do(t, all.Update(markedForMove(one, "2"))) // the mark alone changes nothing
		f.holds(t, 0, 3, 1, 2, 3)
		do(t, all.Delete(markedForMove(one, "3")))
		f.holds(t, 1, 2, 1, 2, 3)
		do(t, all.Delete(markedForMove(two, "4"))) // the mark was set while nobody watched
		f.holds(t, 2, 1, 1, 2, 3)
		do(t, all.Delete(three)) // a plain deletion is at once what it always was
		f.holds(t, 2, 0, 1, 2)
		if n := f.logged("Cluster API moves Hardware away"); n != 2 {
			t.Errorf("said %d times that Hardware was moved, want twice: %q", n, f.lines)
		}
		if f.logged("no machine is answered") > 0 {
			t.Error("said that no machine is answered, while those of moved Hardware are")
		}

		do(t, all.Replace(nil, "9")) // another list does not bring it back, nor take it away
		f.holds(t, 2, 0, 1, 2)
		back := raw(t, "a", "one", 1, "10")
		back.UID = "another"
		do(t, all.Add(back))
		f.holds(t, 1, 1, 1, 2)
		do(t, all.Delete(back))
		f.holds(t, 1, 0, 2)
	})
}

func TestMovedHardwareGivesWay(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*rawHardware)
		gives  bool
	}{
		"to an object of its name":        {func(h *rawHardware) { h.Name, h.Spec = "one", raw(t, "", "", 7, "").Spec }, true},
		"to one of its MAC":               {func(h *rawHardware) { h.Spec = withMachine(t, 1, 7) }, true},
		"to one of its address":           {func(h *rawHardware) { h.Spec = withMachine(t, 7, 1) }, true},
		"not to one of another namespace": {func(h *rawHardware) { h.Namespace, h.Name, h.Spec = "b", "one", raw(t, "", "", 7, "").Spec }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, all := offline(t)
				one := raw(t, "a", "one", 1, "1")
				do(t, all.Replace([]any{one}, "1"))
				do(t, all.Delete(markedForMove(one, "2")))
				f.holds(t, 1, 0, 1)
				other := raw(t, "a", "other", 7, "3")
				test.change(other)
				do(t, all.Add(other))
				time.Sleep(time.Second)
				synctest.Wait()
				moved, _ := f.Moved()
				if gave := moved == 0; gave != test.gives || f.store.Load().Len() != 2-map[bool]int{true: 1}[test.gives] {
					t.Errorf("gave way: %v with %d machines, want %v", gave, f.store.Load().Len(), test.gives)
				}
				if n := len(f.store.Load().Conflicts()); n > 0 {
					t.Errorf("%d conflicts between what is there and what is gone", n)
				}
			})
		})
	}
}

// withMachine is the spec of a machine with the MAC of one and the address of another.
func withMachine(t *testing.T, macOf, addressOf int) []byte {
	t.Helper()
	h := machine("", "", macOf)
	h.Spec.Interfaces[0].DHCP.IP.Address = address(addressOf)
	spec, err := json.Marshal(h.Spec)
	do(t, err)
	return spec
}

// TestMoveWhileNobodyWatches: a list after a gap cannot show why an object is gone; the last that was seen of it can.
func TestMoveWhileNobodyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, all := offline(t)
		one, two, three := raw(t, "a", "one", 1, "1"), raw(t, "a", "two", 2, "1"), raw(t, "a", "three", 3, "1")
		do(t, all.Replace([]any{one, two, three}, "1"))
		do(t, all.Update(markedForMove(one, "2")))
		do(t, all.Update(markedForMove(two, "3")))
		unmarked := raw(t, "a", "two", 2, "4") // the move was given up, and the annotation taken away
		do(t, all.Update(unmarked))
		do(t, all.Replace([]any{three}, "9"))
		f.holds(t, 1, 1, 1, 3)
	})
}

// TestTheMarkIsKept: a process that ends between the mark and the deletion must know of the mark when it starts again.
func TestTheMarkIsKept(t *testing.T) {
	dir, r := stateDir(t), newRecords([]string{""})
	one := raw(t, "a", "one", 1, "1")
	do(t, scope{r, ""}.Replace([]any{one}, "1"))
	r.take()
	do(t, scope{r, ""}.Update(markedForMove(one, "2")))
	if _, changed := r.take(); !changed {
		t.Error("the mark is no change, and would not be written")
	}
	keep(t, dir, r)
	after := restarted(t, dir)
	do(t, scope{after, ""}.Replace(nil, "3"))
	if moved, stayed := (&HardwareController{records: after}).Moved(); moved != 1 || stayed != 0 {
		t.Errorf("moved %d and stayed %d after the restart, want 1 and 0", moved, stayed)
	}
}

// TestDisabledStaysDisabled: the mark of the move takes the place of the annotation that disables a Hardware.
func TestDisabledStaysDisabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, all := offline(t)
		one, two := raw(t, "a", "one", 1, "1"), raw(t, "a", "two", 2, "1")
		one.Annotations = map[string]string{v1alpha1.AnnotationDisabled: ""}
		do(t, all.Replace([]any{one, two}, "1"))
		f.holds(t, 0, 2, 2)
		do(t, all.Update(markedForMove(one, "2")))
		do(t, all.Update(markedForMove(two, "2")))
		f.holds(t, 0, 2, 2)
		do(t, all.Update(markedForMove(one, "3"))) // once more, with nothing left of the first
		f.holds(t, 0, 2, 2)
		do(t, all.Delete(markedForMove(one, "4")))
		do(t, all.Delete(markedForMove(two, "4")))
		f.holds(t, 2, 0, 2)
		enabled := raw(t, "a", "one", 1, "5") // another object, which nobody disabled
		enabled.UID = types.UID("another")
		do(t, all.Add(markedForMove(enabled, "6")))
		f.holds(t, 1, 1, 1, 2)
	})
}

// TestOptionsOutliveTheMark: the mark of the move takes the place of the annotation that holds DHCP options.
func TestOptionsOutliveTheMark(t *testing.T) {
	one := raw(t, "a", "one", 1, "1")
	one.Annotations = map[string]string{v1alpha1.AnnotationDHCPOptions: "150:ip:192.168.2.5"}
	before := one.convert(nil)
	marked := markedForMove(one, "2").convert(before)
	again := markedForMove(one, "3").convert(marked)
	for name, r := range map[string]*record{"before": before, "marked": marked, "marked again": again} {
		if len(r.reservations) != 1 || len(r.reservations[0].Options) != 1 || r.reservations[0].Options[0].Code != 150 {
			t.Errorf("%s: %+v", name, r.reservations)
		}
	}
	unmarked := raw(t, "a", "one", 1, "4").convert(marked)
	if len(unmarked.reservations[0].Options) != 0 {
		t.Error("the options outlive an annotation that was taken away by hand")
	}
}

func TestNothingIsMovedBeforeAllNamespacesAreKnown(t *testing.T) {
	r := newRecords([]string{"a", "b"})
	c := &HardwareController{records: r}
	one := raw(t, "a", "one", 1, "1")
	do(t, scope{r, "a"}.Replace([]any{one}, "1"))
	do(t, scope{r, "a"}.Delete(markedForMove(one, "2")))
	if moved, stayed := c.Moved(); moved != 0 || stayed != 0 {
		t.Errorf("moved %d, stayed %d, while b is not known", moved, stayed)
	}
	do(t, scope{r, "b"}.Replace([]any{raw(t, "b", "two", 2, "1")}, "1"))
	if moved, stayed := c.Moved(); moved != 1 || stayed != 1 {
		t.Errorf("moved %d, stayed %d, want 1 and 1", moved, stayed)
	}
}

// TestAbsentCountsRight adds, replaces and drops, and looks whether anything of the dropped is left.
func TestAbsentCountsRight(t *testing.T) {
	a := newAbsent(func(objectKey) {})
	for n := range 4 {
		rec := raw(t, "a", fmt.Sprint("m", n%3), n, "1").convert(nil)
		a.add(rec, n%2 == 0)
	}
	// m0 was moved (0) and then undecided (3), m1 is undecided (1), m2 moved (2)
	if a.moved != 1 || a.undecided() != 2 || len(a.holders) != 6 {
		t.Fatalf("%d moved, %d undecided, %d claims; want 1, 2 and 6", a.moved, a.undecided(), len(a.holders))
	}
	for n := range 4 {
		a.giveWay(raw(t, "b", "other", n, "1").convert(nil))
	}
	if a.moved != 0 || len(a.byKey) != 0 || len(a.holders) != 0 {
		t.Errorf("left: %+v", a)
	}
}

// TestMoveOfHardware does to a real API what `clusterctl move` does to the source.
func TestMoveOfHardware(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "move")
	disabled := machine(ns, "disabled", 4)
	disabled.Annotations = map[string]string{v1alpha1.AnnotationDisabled: ""}
	create(t, c, machine(ns, "one", 1), machine(ns, "two", 2), machine(ns, "deleted", 3), disabled)
	f := follow(t, shared(t), []string{ns})
	f.served(t, 1, 2, 3)
	before := f.store.Load()

	for _, name := range []string{"one", "two", "disabled"} {
		changed(t, c, machine(ns, name, 0), func(hw *v1alpha1.Hardware) {
			hw.Annotations = map[string]string{tugbootv1alpha1.DeleteForMove: ""}
		})
	}
	for _, name := range []string{"one", "two", "disabled", "deleted"} {
		if err := c.Delete(t.Context(), machine(ns, name, 0)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() string {
		if moved, stayed := f.Moved(); moved != 3 || stayed != 0 {
			return fmt.Sprintf("moved %d, stayed %d, want 3 and 0", moved, stayed)
		}
		return ""
	})
	f.served(t, 1, 2)
	for _, n := range []int{1, 2} {
		old, _ := before.ByMAC(mac(n))
		if now, _ := f.store.Load().ByMAC(mac(n)); !reflect.DeepEqual(old, now) {
			t.Errorf("the move changed a reservation: %+v is now %+v", old, now)
		}
	}

	back := machine(ns, "two", 2) // cluster deletion brings it back
	back.Spec.Interfaces[0].DHCP.IP.Address = address(9)
	back.Spec.Interfaces[0].DHCP.MAC = mac(9).String()
	create(t, c, back)
	f.served(t, 1, 9)
	if err := c.DeleteAllOf(t.Context(), &v1alpha1.Hardware{}, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	f.served(t, 1)
}
