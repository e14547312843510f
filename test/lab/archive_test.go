package lab

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestArchiveOfAnImage(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("ELF"), 0o755); err != nil {
		t.Fatal(err)
	}
	image := Image{Reference: "tugboot.lab/test:1", Files: map[string]string{"/bin/program": program}, Entrypoint: []string{"/bin/program", "serve"}}
	archive := written(t, image)
	if again := written(t, image); !bytes.Equal(archive, again) {
		t.Error("the same image makes another archive")
	}
	files := untar(t, archive)
	var manifest []archiveEntry
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest) != 1 || len(manifest[0].RepoTags) != 1 || manifest[0].RepoTags[0] != image.Reference || len(manifest[0].Layers) != 1 {
		t.Fatalf("the manifest says %s", files["manifest.json"])
	}
	layer := files[manifest[0].Layers[0]]
	var config imageConfig
	if err := json.Unmarshal(files[manifest[0].Config], &config); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("sha256:%x", sha256.Sum256(layer)); len(config.RootFS.DiffIDs) != 1 || config.RootFS.DiffIDs[0] != want {
		t.Errorf("the configuration names the layers %q, want %q", config.RootFS.DiffIDs, want)
	}
	if config.Config.User != "65532" || len(config.Config.Entrypoint) != 2 {
		t.Errorf("the configuration says %s", files[manifest[0].Config])
	}
	if inside := untar(t, layer); string(inside["bin/program"]) != "ELF" {
		t.Errorf("the layer holds %q", inside)
	}

	image.Files["/absent"] = filepath.Join(t.TempDir(), "absent")
	if err := image.WriteArchive(filepath.Join(t.TempDir(), "image.tar")); err == nil {
		t.Error("an image of a file that is not there was written")
	}
}

func written(t *testing.T, image Image) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := image.WriteArchive(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func untar(t *testing.T, text []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	archive := tar.NewReader(bytes.NewReader(text))
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}
