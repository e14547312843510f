package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const cgroupFolder = "/sys/fs/cgroup"

// cgroup is the cgroup of one node, in every hierarchy of the host: one with cgroup v2, one per controller with v1. What
// the node runs is in it or below. Its name is LAB.NODE, where LAB is the lab's claim.
type cgroup struct {
	name string
	v2   bool
	// hierarchies are the folders at which the hierarchies are mounted.
	hierarchies []string
}

// findCgroup says where the cgroup of that name would be. It is made by create.
func findCgroup(name string) (*cgroup, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(cgroupFolder, &stat); err != nil {
		return nil, fmt.Errorf("cgroup %s: %s: %w", name, cgroupFolder, err)
	}
	if stat.Type == unix.CGROUP2_SUPER_MAGIC {
		return &cgroup{name: name, v2: true, hierarchies: []string{cgroupFolder}}, nil
	}
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("cgroup %s: %w", name, err)
	}
	g := &cgroup{name: name}
	for line := range strings.Lines(string(table)) {
		place, fileSystem, found := strings.Cut(line, " - ")
		fields := strings.Fields(place) // proc(5): the fifth is the mount point
		if found && len(fields) >= 5 && strings.HasPrefix(fileSystem, "cgroup") && filepath.Dir(fields[4]) == cgroupFolder {
			g.hierarchies = append(g.hierarchies, fields[4])
		}
	}
	if len(g.hierarchies) == 0 {
		return nil, fmt.Errorf("cgroup %s: no cgroup file system is mounted below %s: mount one", name, cgroupFolder)
	}
	return g, nil
}

// create makes the cgroup, with every controller that the host has.
func (g *cgroup) create() error {
	for _, hierarchy := range g.hierarchies {
		if g.v2 {
			if err := delegate(hierarchy); err != nil {
				return fmt.Errorf("cgroup %s: %w", g.name, err)
			}
		}
		folder := filepath.Join(hierarchy, g.name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("cgroup %s: %w", g.name, err)
		}
		if g.v2 {
			continue
		}
		// A new cpuset of v1 has no CPU and no memory, and nothing may enter it.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			text, err := os.ReadFile(filepath.Join(hierarchy, file))
			if errors.Is(err, fs.ErrNotExist) {
				continue // another controller's
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(folder, file), text, 0o600)
			}
			if err != nil {
				return fmt.Errorf("cgroup %s: %w", g.name, err)
			}
		}
	}
	return nil
}

// delegate lets the children of a cgroup v2 have all of its controllers. A host whose init is systemd lends out only some.
func delegate(folder string) error {
	controllers, err := os.ReadFile(filepath.Join(folder, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for controller := range strings.FieldsSeq(string(controllers)) {
		if err := os.WriteFile(filepath.Join(folder, "cgroup.subtree_control"), []byte("+"+controller), 0o600); err != nil {
			return fmt.Errorf("lend out the controller %s: %w: in a container, first move its processes to a cgroup below %s", controller, err, folder)
		}
	}
	return nil
}

// remove removes the cgroup and all below it. Its processes must have been killed; the kernel may take a moment to
// forget the last.
func (g *cgroup) remove(ctx context.Context) error {
	for {
		var problems []error
		for _, hierarchy := range g.hierarchies {
			problems = append(problems, removeCgroups(filepath.Join(hierarchy, g.name)))
		}
		err := errors.Join(problems...)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cgroup %s: %w", g.name, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// removeCgroups removes the folder and those below it, the deepest first. The files in them go with them.
func removeCgroups(folder string) error {
	var folders []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, path := range slices.Backward(folders) {
		if err := unix.Rmdir(path); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("remove %s: %w", path, err)
		}
	}
	return nil
}

// removeStaleCgroups removes the cgroups of labs whose owner is gone; their processes died with it.
func removeStaleCgroups(ctx context.Context) error {
	all, err := findCgroup("tugboot-*")
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, hierarchy := range all.hierarchies {
		found, err := filepath.Glob(filepath.Join(hierarchy, all.name))
		if err != nil {
			return err
		}
		for _, path := range found {
			names[filepath.Base(path)] = true
		}
	}
	for name := range names {
		id, _, found := strings.Cut(name, ".")
		if !found {
			continue // not a lab's
		}
		file, err := lockFile(claimPath(id))
		if err != nil {
			continue // its owner is alive
		}
		stale := cgroup{name: name, hierarchies: all.hierarchies}
		if err := errors.Join(stale.remove(ctx), (&claim{id: id, file: file}).release()); err != nil {
			return fmt.Errorf("remove the cgroup %s that a process left behind: %w", name, err)
		}
	}
	return nil
}
