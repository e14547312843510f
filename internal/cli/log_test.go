package cli

import (
	"errors"
	"strings"
	"testing"
)

func TestLibrariesAreQuietUnlessSomethingIsWrong(t *testing.T) {
	for _, tt := range []struct {
		level           string
		own, chat, fail bool
	}{
		{"debug", true, true, true},
		{"info", true, false, true},
		{"error", false, false, true},
	} {
		var out strings.Builder
		own, library := newLoggers(&out, tt.level, "json")
		own.Info("our own line")
		library.Info("library chat")
		library.WithName("deeper").Error(errors.New("broken"), "library failure")
		for text, want := range map[string]bool{"our own line": tt.own, "library chat": tt.chat, "library failure": tt.fail} {
			if strings.Contains(out.String(), text) != want {
				t.Errorf("--log-level=%s: %q shown: %v, want %v", tt.level, text, !want, want)
			}
		}
	}
}
