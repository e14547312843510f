package hardwarecsv

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testdata/facts.yaml was written by hand from what EKS Anywhere makes of the row, not printed by this package.
func TestObjectsAreThoseOfEKSAnywhere(t *testing.T) {
	result := parseFile(t, "testdata/facts.csv", Options{})
	if len(result.Problems) > 0 {
		t.Fatalf("problems: %v", result.Problems)
	}
	want := readFile(t, "testdata/facts.yaml")
	if diff := cmp.Diff(want, render(t, result.Rows, DefaultNamespace)); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

func TestNamespaceIsThatOfEveryObjectAndReference(t *testing.T) {
	result := parseFile(t, "testdata/facts.csv", Options{})
	want := string(bytes.ReplaceAll([]byte(readFile(t, "testdata/facts.yaml")), []byte("eksa-system"), []byte("metal")))
	if diff := cmp.Diff(want, render(t, result.Rows, "metal")); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

func TestOptionalValuesAreLeftOut(t *testing.T) {
	result := Parse([]byte(plainHeader+"wk01,52:54:00:00:02:01,192.168.2.11,255.255.255.0,192.168.2.1,192.168.2.112,/dev/sda,\n"), Options{})
	if len(result.Problems)+len(result.Notes) > 0 || len(result.Rows) != 1 {
		t.Fatalf("result: %+v", result)
	}
	text := render(t, result.Rows, DefaultNamespace)
	for _, absent := range []string{"vlan_id", "labels", "bmcRef", "kind: Machine", "kind: Secret", "status", "creationTimestamp"} {
		if bytes.Contains([]byte(text), []byte(absent)) {
			t.Errorf("%s stands in the objects of a row that says nothing of it:\n%s", absent, text)
		}
	}
}

func TestHardwareIsTheCallersOwn(t *testing.T) {
	row := parseFile(t, "testdata/facts.csv", Options{}).Rows[0]
	row.Objects(DefaultNamespace).Hardware.Labels["type"] = "changed"
	if row.Labels["type"] != "worker" {
		t.Errorf("the row's labels changed with the object's: %v", row.Labels)
	}
}

const plainHeader = "hostname,mac,ip_address,netmask,gateway,nameservers,disk,labels\n"

func render(t *testing.T, rows []Row, namespace string) string {
	t.Helper()
	var objects []Objects
	for _, row := range rows {
		objects = append(objects, row.Objects(namespace))
	}
	var out bytes.Buffer
	if err := Write(&out, objects); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func parseFile(t *testing.T, name string, o Options) Result {
	t.Helper()
	return Parse([]byte(readFile(t, name)), o)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
