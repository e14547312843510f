package chart

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// definition is a part of the API's OpenAPI document: a JSON schema, nearly.
type definition = map[string]any

// schemas writes what an API server knows of its kinds as the JSON schemas that kubeconform reads, one file a kind, and returns
// where. As kubeconform's -strict wants, no object may have a field that its schema does not name.
func schemas(t *testing.T, c *cluster) string {
	t.Helper()
	var document struct {
		Definitions map[string]definition `json:"definitions"`
	}
	if err := json.Unmarshal([]byte(c.kubectl("get", "--raw=/openapi/v2")), &document); err != nil {
		t.Fatal(err)
	}
	for _, d := range document.Definitions {
		restrict(d)
	}
	folder := t.TempDir()
	for name, d := range document.Definitions {
		kinds, _ := d["x-kubernetes-group-version-kind"].([]any)
		for _, kind := range kinds {
			k := kind.(definition)
			group, _, _ := strings.Cut(k["group"].(string), ".")
			file := strings.Trim(strings.ToLower(k["kind"].(string))+"-"+group, "-") + "-" + k["version"].(string) + ".json"
			used := map[string]definition{}
			closure(d, document.Definitions, used)
			text, err := json.Marshal(definition{"$ref": "#/definitions/" + name, "definitions": withSelf(used, name, d)})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, file), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return folder
}

func withSelf(used map[string]definition, name string, d definition) map[string]definition {
	used[name] = d
	return used
}

// closure collects the definitions that a part refers to, and those that these refer to.
func closure(part any, all, used map[string]definition) {
	switch p := part.(type) {
	case definition:
		if ref, ok := p["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, "#/definitions/")
			if _, known := used[name]; !known {
				used[name] = all[name]
				closure(all[name], all, used)
			}
		}
		for _, sub := range p {
			closure(sub, all, used)
		}
	case []any:
		for _, sub := range p {
			closure(sub, all, used)
		}
	}
}

// restrict makes a definition say what Kubernetes means by it: unknown fields are errors, and "int-or-string" and quantities,
// which OpenAPI calls strings, may be numbers.
func restrict(part any) {
	d, isObject := part.(definition)
	if !isObject {
		return
	}
	text, _ := d["description"].(string)
	if d["format"] == "int-or-string" || d["x-kubernetes-int-or-string"] == true || strings.HasPrefix(text, "Quantity is a fixed-point") {
		delete(d, "format")
		d["type"] = []any{"string", "number"}
	}
	properties, _ := d["properties"].(definition)
	if _, open := d["additionalProperties"]; len(properties) > 0 && !open && d["x-kubernetes-preserve-unknown-fields"] != true {
		d["additionalProperties"] = false
	}
	for _, property := range properties {
		restrict(property)
	}
	for _, key := range []string{"items", "additionalProperties"} {
		restrict(d[key])
	}
}
