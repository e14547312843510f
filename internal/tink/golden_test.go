package tink

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
)

var update = flag.Bool("update", false, "write the golden files anew")

const testdata = "../../test/testdata/hardware"

func read(t *testing.T, path string) *v1alpha1.Hardware {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hw := &v1alpha1.Hardware{}
	if err := yaml.UnmarshalStrict(text, hw); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return hw
}

// TestGolden converts every object in testdata. Those named valid-* have no problem; each invalid-* breaks one rule.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob(testdata + "/*.yaml")
	if err != nil || len(paths) < 50 {
		t.Fatalf("found %d objects in %s: %v", len(paths), testdata, err)
	}
	reported := map[string]bool{}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			reservations, problems := Convert(read(t, path))
			for _, p := range problems {
				reported[p.Reason] = true
			}
			if valid := strings.HasPrefix(filepath.Base(path), "valid-"); valid != (len(problems) == 0) {
				t.Errorf("%d problems", len(problems))
			}
			compare(t, strings.TrimSuffix(path, ".yaml")+".golden", render(t, reservations, problems))
		})
	}
	for _, reason := range everyReason() {
		if !reported[reason] {
			t.Errorf("no object in %s has the problem %s", testdata, reason)
		}
	}
}

func everyReason() []string {
	return []string{
		ReasonInvalidMAC, ReasonInvalidAddress, ReasonInvalidNetmask, ReasonInvalidGateway, ReasonInvalidFamily, ReasonIPv6NotServed,
		ReasonInvalidHostname, ReasonInvalidDomainName, ReasonInvalidLeaseTime, ReasonInvalidNameServer, ReasonInvalidTimeServer,
		ReasonInvalidRoute, ReasonInvalidVLAN, ReasonInvalidArch, ReasonInvalidBootFile, ReasonInvalidIPXEBinary, ReasonInvalidIPXEURL,
		ReasonInvalidIPXEContents, ReasonInvalidOSIE, ReasonInvalidFacility, ReasonInvalidAgentID, ReasonInvalidDHCPOption,
	}
}

func render(t *testing.T, reservations []*reservation.Reservation, problems []reservation.Problem) string {
	t.Helper()
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s fatal=%t\n  %s\n", p.Reason, p.Fatal, p.Error())
	}
	for _, r := range reservations {
		fmt.Fprintf(&b, "reservation of %s\n%s", r.Source, withoutEmpty(t, r))
	}
	if b.Len() == 0 {
		return "neither reservations nor problems\n"
	}
	return b.String()
}

// withoutEmpty writes r as YAML without the fields that hold nothing.
func withoutEmpty(t *testing.T, r *reservation.Reservation) []byte {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		t.Fatal(err)
	}
	prune(fields)
	text, err = yaml.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func prune(fields map[string]any) {
	maps.DeleteFunc(fields, func(_ string, value any) bool {
		nested, ok := value.(map[string]any)
		if ok {
			prune(nested)
		}
		return value == nil || value == "" || value == false || value == json.Number("0") || ok && len(nested) == 0
	})
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("differs from %s (-want +got):\n%s", golden, diff)
	}
}
