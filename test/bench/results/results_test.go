package results

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestARunGoesOnWhereItWas(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "bench")
	run := Run{Begun: "2026-11-27", Settings: map[string]string{"rounds": "3"}, Machine: []string{"two cores"}}
	s, fresh, err := Open(folder, run)
	if err != nil || !fresh {
		t.Fatalf("fresh %v (%v)", fresh, err)
	}
	c, err := s.Contender("kea")
	if err != nil || c.Had("dhcp-1") {
		t.Fatalf("%+v (%v)", c, err)
	}
	c.Turns = append(c.Turns, "dhcp-1")
	c.Samples = append(c.Samples, Sample{Suite: "dhcp", Case: "1000", Round: 1, Values: map[string]float64{"rate": 12.5}},
		Sample{Suite: "start", Case: "1000000", Round: 1, Failed: "not ready"})
	if err := s.Save(c); err != nil {
		t.Fatal(err)
	}
	later := run
	later.Begun = "2026-11-28"
	if s, fresh, err = Open(folder, later); err != nil || fresh {
		t.Fatalf("fresh %v (%v), want to go on", fresh, err)
	}
	again, err := s.Contender("kea")
	if err != nil || !reflect.DeepEqual(again, c) || !again.Had("dhcp-1") || again.Failure("start", "1000000") != "not ready" ||
		again.Failure("dhcp", "1000") != "" {
		t.Errorf("got %+v (%v), want %+v", again, err, c)
	}
	if err := s.Untaken([]string{"kea storm"}); err != nil {
		t.Fatal(err)
	}
	got, all, err := Read(folder)
	if err != nil || !reflect.DeepEqual(got.Untaken, []string{"kea storm"}) || got.Begun != "2026-11-27" || len(all) != 1 || all[0].Name != "kea" {
		t.Errorf("%+v, %+v (%v)", got, all, err)
	}
	later.Settings = map[string]string{"rounds": "5"}
	if _, fresh, err = Open(folder, later); err != nil || !fresh {
		t.Fatalf("fresh %v (%v), want other settings to begin anew", fresh, err)
	}
	if _, all, err = Read(folder); err != nil || len(all) != 0 {
		t.Errorf("%+v (%v), want nothing of the settings before", all, err)
	}
}

func TestWhatIsNoResultIsSaid(t *testing.T) {
	folder := t.TempDir()
	if _, _, err := Read(folder); err == nil {
		t.Error("read what is not there")
	}
	if err := os.WriteFile(filepath.Join(folder, runFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(folder, Run{}); err == nil {
		t.Error("took a broken file for none")
	}
}
