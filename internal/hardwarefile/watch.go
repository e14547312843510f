package hardwarefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// watcher hears of changes in folders. Folders are watched, not files, because most writers replace a file by another. The
// nil watcher hears nothing.
type watcher struct {
	notify  *fsnotify.Watcher
	watched map[string]bool
}

func newWatcher() (*watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return &watcher{notify: notify, watched: map[string]bool{}}, nil
}

func (w *watcher) close() {
	if w != nil {
		// Nothing is left to be told to, so that a failure to close makes no difference.
		_ = w.notify.Close()
	}
}

func (w *watcher) events() <-chan fsnotify.Event {
	if w == nil {
		return nil
	}
	return w.notify.Events
}

func (w *watcher) errors() <-chan error {
	if w == nil {
		return nil
	}
	return w.notify.Errors
}

// follow watches these folders and no others. It is called again after every change, and sets also watches that it set
// before, since a watch goes with the folder that it was set on, and not with its name.
func (w *watcher) follow(folders map[string]bool) error {
	if w == nil {
		return nil
	}
	var failures []error
	for folder := range w.watched {
		if folders[folder] {
			continue
		}
		delete(w.watched, folder)
		if err := w.notify.Remove(folder); err != nil && !errors.Is(err, fsnotify.ErrNonExistentWatch) {
			failures = append(failures, err)
		}
	}
	for folder := range folders {
		err := w.notify.Add(folder)
		switch {
		case errors.Is(err, os.ErrNotExist): // it went away just now, of which its parent tells
		case err != nil:
			failures = append(failures, fmt.Errorf("watch %s: %w", shown(folder), err))
		default:
			w.watched[folder] = true
		}
	}
	return errors.Join(failures...)
}

// folders returns the folders in which a change can concern path: the one that it stands in or, while there is none, the
// nearest above; path itself when it is a folder; and those behind symbolic links, where the content lies.
func folders(path string) map[string]bool {
	set := map[string]bool{nearest(filepath.Dir(path)): true}
	names, _ := list(path) // what is wrong with path is reported by the reading that follows
	if stat, err := os.Stat(path); err == nil && stat.IsDir() {
		set[path] = true
	}
	for _, name := range append(names, path) {
		target, err := filepath.EvalSymlinks(name)
		if err == nil && target != name {
			set[filepath.Dir(target)] = true
		}
	}
	return set
}

// nearest returns folder, or the nearest one above it that exists.
func nearest(folder string) string {
	for {
		stat, err := os.Stat(folder)
		parent := filepath.Dir(folder)
		if err == nil && stat.IsDir() || parent == folder {
			return folder
		}
		folder = parent
	}
}
