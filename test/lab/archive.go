package lab

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// nobody is the user ID of distroless images' nonroot.
const nobody = "65532"

// Image is a container image of one layer. Its programs must be linked statically: there is nothing else in it.
type Image struct {
	// Reference is its name and tag, such as "tugboot.lab/pause:1".
	Reference string
	// Files are the layer's: absolute path in the image -> path of the host's file, whose permission bits it keeps.
	Files map[string]string
	// Entrypoint is what a container of it runs, as user 65532.
	Entrypoint []string
}

// imageConfig is what the OCI image specification calls so.
type imageConfig struct {
	Architecture string    `json:"architecture"`
	OS           string    `json:"os"`
	Created      time.Time `json:"created"`
	Config       struct {
		User       string
		Entrypoint []string
		WorkingDir string
	} `json:"config"`
	RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

// archiveEntry is one image of an archive's manifest.json.
type archiveEntry struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// WriteArchive writes the image to a file in the format of `docker save`, which every container runtime imports. The same
// files make the same bytes.
func (i Image) WriteArchive(path string) (err error) {
	layer, err := i.layer()
	if err != nil {
		return fmt.Errorf("image %s: %w", i.Reference, err)
	}
	config := imageConfig{Architecture: runtime.GOARCH, OS: "linux", Created: time.Unix(0, 0).UTC()}
	config.Config.User, config.Config.Entrypoint, config.Config.WorkingDir = nobody, i.Entrypoint, "/"
	config.RootFS.Type, config.RootFS.DiffIDs = "layers", []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}
	configText, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("image %s: %w", i.Reference, err)
	}
	manifest, err := json.Marshal([]archiveEntry{{Config: "config.json", RepoTags: []string{i.Reference}, Layers: []string{"layer.tar"}}})
	if err != nil {
		return fmt.Errorf("image %s: %w", i.Reference, err)
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("image %s: %w", i.Reference, err)
	}
	archive := tar.NewWriter(file)
	err = errors.Join(
		add(archive, "manifest.json", 0o644, manifest),
		add(archive, "config.json", 0o644, configText),
		add(archive, "layer.tar", 0o644, layer),
		archive.Close(), file.Close())
	if err != nil {
		return fmt.Errorf("image %s: write %s: %w", i.Reference, path, err)
	}
	return nil
}

// layer is a tar of the image's files, and of a /tmp in which everybody may write.
func (i Image) layer() ([]byte, error) {
	var text bytes.Buffer
	layer := tar.NewWriter(&text)
	if err := layer.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777, ModTime: time.Unix(0, 0)}); err != nil {
		return nil, err
	}
	for _, path := range slices.Sorted(maps.Keys(i.Files)) {
		name, err := filepath.Rel("/", path)
		if err != nil {
			return nil, err
		}
		source := i.Files[path]
		stat, err := os.Stat(source)
		if err != nil {
			return nil, err
		}
		content, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		if err := add(layer, name, int64(stat.Mode().Perm()), content); err != nil {
			return nil, err
		}
	}
	err := layer.Close() // writes the end
	return text.Bytes(), err
}

func add(to *tar.Writer, name string, mode int64, content []byte) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content)), ModTime: time.Unix(0, 0)}
	if err := to.WriteHeader(header); err != nil {
		return err
	}
	_, err := to.Write(content)
	return err
}
