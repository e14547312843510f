package hardwarecsv

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/tink"
)

// Whatever is accepted makes objects that are served as they are, that read back as they were, and that show no password
// outside the Secret.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.csv")
	if err != nil || len(files) == 0 {
		f.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		result := Parse(file, labStacks())
		for _, p := range append(result.Problems, result.Notes...) {
			if p.Line < 1 || p.Column == "" || p.Text == "" || !printable(p.String()) {
				t.Errorf("problem %+q", p)
			}
		}
		for _, row := range result.Rows {
			checkRow(t, row)
		}
	})
}

func checkRow(t *testing.T, row Row) {
	t.Helper()
	objects := row.Objects(DefaultNamespace)
	reservations, problems := tink.Convert(objects.Hardware)
	if len(reservations) != 1 || len(problems) > 0 {
		t.Fatalf("row %+v: %d reservations, problems %v", row, len(reservations), problems)
	}
	r := reservations[0]
	if r.MAC != row.MAC || r.Address.Prefix() != row.Address || r.Gateway != row.Gateway || r.Hostname != row.Hostname ||
		r.VLAN != row.VLAN || r.Lease != leaseTime || !r.Netboot.Allow {
		t.Errorf("row %+v is served as %+v", row, r)
	}
	text := render(t, []Row{row}, DefaultNamespace)
	documents := strings.Split(strings.TrimPrefix(text, "---\n"), "\n---\n")
	if row.BMC == nil && len(documents) != 1 {
		t.Fatalf("%d documents:\n%s", len(documents), text)
	}
	var hw v1alpha1.Hardware
	if err := yaml.UnmarshalStrict([]byte(documents[0]), &hw); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	if diff := cmp.Diff(objects.Hardware, &hw); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if row.BMC != nil {
		checkBMC(t, row, documents)
	}
}

func checkBMC(t *testing.T, row Row, documents []string) {
	t.Helper()
	var m machine
	var s secret
	if len(documents) != 3 {
		t.Fatalf("%d documents", len(documents))
	}
	if err := yaml.UnmarshalStrict([]byte(documents[1]), &m); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict([]byte(documents[2]), &s); err != nil {
		t.Fatal(err)
	}
	if m.Spec.Connection.Host != row.BMC.Address.String() || m.Spec.Connection.AuthSecretRef.Name != s.Metadata.Name {
		t.Errorf("machine %+v", m)
	}
	if !bytes.Equal(s.Data["password"], []byte(row.BMC.Password.reveal())) || string(s.Data["username"]) != row.BMC.Username {
		t.Errorf("secret of line %d does not hold what the row holds", row.Line)
	}
}
