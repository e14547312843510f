package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// definition is one CustomResourceDefinition as it stands in a file.
type definition struct {
	text     []byte
	group    string
	versions int
}

// definitionsIn reads the CustomResourceDefinitions in the files below folders, by name. Of two of one name that of the
// earlier folder counts; within a folder, the one with more versions.
func definitionsIn(folders ...string) (map[string]definition, error) {
	all := map[string]definition{}
	for _, folder := range folders {
		found := map[string]definition{}
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			return readDefinitions(path, found)
		})
		if err != nil {
			return nil, fmt.Errorf("custom resource definitions: %w", err)
		}
		for name, d := range found {
			if _, known := all[name]; !known {
				all[name] = d
			}
		}
	}
	return all, nil
}

// readDefinitions adds those of one file to found. Documents of other kinds are passed over.
func readDefinitions(path string, found map[string]definition) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	documents := yaml.NewDocumentDecoder(file)
	defer func() { err = errors.Join(err, documents.Close()) }()
	buffer := make([]byte, 4<<20) // more than any definition
	for {
		n, err := documents.Read(buffer)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		var crd apiextensions.CustomResourceDefinition
		if err := yaml.Unmarshal(buffer[:n], &crd); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if crd.Kind != "CustomResourceDefinition" || len(crd.Spec.Versions) < found[crd.Name].versions {
			continue
		}
		found[crd.Name] = definition{text: bytes.Clone(buffer[:n]), group: crd.Spec.Group, versions: len(crd.Spec.Versions)}
	}
}

// install installs the definitions of the groups given, and returns when their resources are served.
func (c *ControlPlane) install(ctx context.Context, all map[string]definition, groups ...string) error {
	var text bytes.Buffer
	missing := slices.Clone(groups)
	wait := []string{"wait", "--for=condition=Established", "--timeout=30s"}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if d := all[name]; slices.Contains(groups, d.group) {
			fmt.Fprintf(&text, "---\n%s\n", d.text)
			wait = append(wait, "crd/"+name)
			missing = slices.DeleteFunc(missing, func(group string) bool { return group == d.group })
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("there is no custom resource definition of %q: make sure that test/testdata/crds is complete", missing)
	}
	if _, err := c.Kubectl(ctx, &text, "apply", "--server-side", "--filename=-"); err != nil {
		return err
	}
	_, err := c.Kubectl(ctx, nil, wait...)
	return err
}
