package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// instructions returns the arguments of each instruction of that name in the last stage of Dockerfile.
func instructions(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile("../../Dockerfile")
	check(t, err)
	var found []string
	for line := range strings.Lines(string(text)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "FROM" {
			found = nil
		}
		if word == name {
			found = append(found, rest)
		}
	}
	return found
}

func one(t *testing.T, name string) string {
	t.Helper()
	found := instructions(t, name)
	if len(found) != 1 {
		t.Fatalf("Dockerfile: %d instructions %s in the last stage, want one", len(found), name)
	}
	return found[0]
}

// TestDockerfileSaysTheSame holds the two ways to the image together.
func TestDockerfileSaysTheSame(t *testing.T) {
	got := v1.Config{User: one(t, "USER"), ExposedPorts: map[string]struct{}{}, Labels: map[string]string{}}
	check(t, json.Unmarshal([]byte(one(t, "ENTRYPOINT")), &got.Entrypoint))
	check(t, json.Unmarshal([]byte(one(t, "CMD")), &got.Cmd))
	for port := range strings.FieldsSeq(one(t, "EXPOSE")) {
		got.ExposedPorts[port] = struct{}{}
	}
	for _, label := range instructions(t, "LABEL") {
		name, value, _ := strings.Cut(label, "=")
		got.Labels[name] = strings.Trim(value, `"`)
	}
	if diff := cmp.Diff(config(&archiveSpec{Version: "${VERSION}", Revision: "${REVISION}"}), got); diff != "" {
		t.Errorf("(-hack/image +Dockerfile):\n%s", diff)
	}
	if base, content := one(t, "FROM"), one(t, "COPY"); base != "scratch" || content != "--from=root /image /" {
		t.Errorf("the last stage is %q with %q", base, content)
	}
}

// TestDockerignoreIsGitignore: a file that git knows and the build does not see would mark the program as modified.
func TestDockerignoreIsGitignore(t *testing.T) {
	lines := func(file string) (found []string) {
		text, err := os.ReadFile("../../" + file)
		check(t, err)
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				found = append(found, line)
			}
		}
		return found
	}
	var want []string
	for _, line := range lines(".gitignore") {
		line = strings.TrimSuffix(line, "/")
		if at, anchored := strings.CutPrefix(line, "/"); anchored {
			want = append(want, at)
		} else {
			want = append(want, "**/"+line)
		}
	}
	if got := lines(".dockerignore"); !slices.Equal(got, want) {
		t.Errorf(".dockerignore names %q, want %q", got, want)
	}
}

func TestDockerfileBuildsWithGoThatIsNewEnough(t *testing.T) {
	dockerfile, err := os.ReadFile("../../Dockerfile")
	check(t, err)
	mod, err := os.ReadFile("../../go.mod")
	check(t, err)
	image := regexp.MustCompile(`(?m)^ARG GO_IMAGE=golang:(\d+\.\d+)\.\d+-trixie$`).FindSubmatch(dockerfile)
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod)
	if image == nil || language == nil || string(image[1]) != string(language[1]) {
		t.Errorf("Dockerfile's Go is %q, go.mod's %q", image, language)
	}
}
