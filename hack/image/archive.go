package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// archiveSpec says what to write besides the file systems.
type archiveSpec struct {
	// Output is the path of the archive, Name the image's name with its tag.
	Output, Name      string
	Version, Revision string
	// Epoch is the time of everything in the archive, in seconds since 1970.
	Epoch int64
}

// writeArchive writes the images of roots (PLATFORM=FOLDER) as one OCI archive. Several platforms share a name by way of
// an index. An archive of one platform is one for `docker load` too.
func writeArchive(spec *archiveSpec, roots []string) (err error) {
	if spec.Output == "" || spec.Name == "" {
		return errors.New("--output and --name: both are needed")
	}
	var images []mutate.IndexAddendum
	for _, root := range roots {
		platform, folder, found := strings.Cut(root, "=")
		if !found {
			return fmt.Errorf("%q: write PLATFORM=FOLDER, such as linux/amd64=build/image/amd64", root)
		}
		parsed, err := v1.ParsePlatform(platform)
		if err != nil {
			return fmt.Errorf("platform %q: %w", platform, err)
		}
		image, err := newImage(spec, *parsed, folder)
		if err != nil {
			return err
		}
		images = append(images, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: parsed}})
	}
	scratch, err := os.MkdirTemp("", "tugboot-image-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if err := writeLayout(scratch, spec, images); err != nil {
		return err
	}
	return packLayout(scratch, spec)
}

// writeLayout writes an OCI image layout, in which the name stands where containerd and podman look for it.
func writeLayout(dir string, spec *archiveSpec, images []mutate.IndexAddendum) error {
	named := mutate.IndexAddendum{Add: images[0].Add, Descriptor: images[0].Descriptor}
	if len(images) > 1 {
		named = mutate.IndexAddendum{Add: mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), images...)}
	}
	_, tag, _ := strings.Cut(filepath.Base(spec.Name), ":")
	named.Annotations = map[string]string{"io.containerd.image.name": spec.Name, "org.opencontainers.image.ref.name": tag}
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), named)
	if _, err := layout.Write(dir, index); err != nil {
		return fmt.Errorf("image layout: %w", err)
	}
	if len(images) > 1 {
		return nil
	}
	return writeDockerManifest(dir, spec.Name, images[0].Add.(v1.Image))
}

// writeDockerManifest adds what `docker load` looks for where Docker keeps images the old way.
func writeDockerManifest(dir, name string, image v1.Image) error {
	manifest, err := image.Manifest()
	if err != nil {
		return fmt.Errorf("manifest of %s: %w", name, err)
	}
	blob := func(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
	type entry struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	e := entry{Config: blob(manifest.Config.Digest), RepoTags: []string{name}}
	for _, layer := range manifest.Layers {
		e.Layers = append(e.Layers, blob(layer.Digest))
	}
	text, err := json.Marshal([]entry{e})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o644)
}

// packLayout packs dir into the archive, which appears whole or not at all.
func packLayout(dir string, spec *archiveSpec) (err error) {
	if err := os.MkdirAll(filepath.Dir(spec.Output), 0o755); err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(spec.Output), ".image-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(out.Name()))
		}
	}()
	content, err := tarOf(dir, time.Unix(spec.Epoch, 0).UTC())
	if err != nil {
		return errors.Join(err, out.Close())
	}
	_, err = out.Write(content)
	if err := errors.Join(err, out.Chmod(0o644), out.Close()); err != nil {
		return fmt.Errorf("archive %s: %w", spec.Output, err)
	}
	return os.Rename(out.Name(), spec.Output)
}
