package main

import (
	"bytes"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// config is what a container engine does with the image; Dockerfile says the same, and a test compares the two.
func config(spec *archiveSpec) v1.Config {
	return v1.Config{
		Entrypoint: []string{"/" + program},
		Cmd:        []string{"serve"},
		User:       "65532:65532",
		ExposedPorts: map[string]struct{}{
			"67/udp": {}, "69/udp": {}, "514/tcp": {}, "514/udp": {}, "4011/udp": {}, "7171/tcp": {}, "8081/tcp": {},
		},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "Tugboot",
			"org.opencontainers.image.description": "Network-boots bare-metal machines from Kubernetes Hardware objects",
			"org.opencontainers.image.source":      "https://github.com/tugboot/tugboot",
			"org.opencontainers.image.licenses":    "Apache-2.0 AND GPL-2.0-or-later",
			"org.opencontainers.image.version":     spec.Version,
			"org.opencontainers.image.revision":    spec.Revision,
		},
	}
}

// newImage makes an image of one layer: the folder root.
func newImage(spec *archiveSpec, platform v1.Platform, root string) (v1.Image, error) {
	made := time.Unix(spec.Epoch, 0).UTC()
	content, err := tarOf(root, made)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching,
	)
	if err != nil {
		return nil, fmt.Errorf("layer of %s: %w", root, err)
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.ConfigFile(base, &v1.ConfigFile{
		Architecture: platform.Architecture, OS: platform.OS, Variant: platform.Variant,
		Created: v1.Time{Time: made}, Config: config(spec), RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, fmt.Errorf("image of %s: %w", root, err)
	}
	image, err = mutate.Append(image, mutate.Addendum{
		Layer: layer, History: v1.History{Created: v1.Time{Time: made}, CreatedBy: "hack/image.sh"},
	})
	if err != nil {
		return nil, fmt.Errorf("image of %s: %w", root, err)
	}
	return image, nil
}
