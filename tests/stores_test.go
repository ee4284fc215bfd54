package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var componentType = regexp.MustCompile(`(?m)^  type: (\w+)\.`)
var componentScopes = regexp.MustCompile(`(?m)^scopes: \[(.*)\]$`)

// Writes are SQL, in the service's own database and by its own driver; the view is key and value, in a Dapr state store
// that no other app has. The component files say so: every state store there is belongs to viewpage alone, and none
// gives anybody SQL. And whoever has SQL has no state store, in code.
func TestI8_SQLForWritesKeysAndValuesForTheView(t *testing.T) {
	files, err := filepath.Glob("../components/*/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stores := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := componentType.FindSubmatch(text)
		if found == nil {
			continue // no component
		}
		switch kind := string(found[1]); kind {
		case "state":
			scopes := componentScopes.FindSubmatch(text)
			if stores++; scopes == nil || string(scopes[1]) != "viewpage" {
				t.Errorf("%s is not viewpage's alone", name)
			}
		case "bindings":
			if strings.Contains(string(text), "bindings.mysql") || strings.Contains(string(text), "bindings.postgres") {
				t.Errorf("%s is a way to SQL beside the services' own", name)
			}
		}
	}
	if stores == 0 {
		t.Fatal("there is no state store")
	}
	sql, state := map[string]bool{}, map[string]bool{}
	for _, f := range parse(t) {
		if f.test || f.service == "internal" {
			continue
		}
		sql[f.service] = sql[f.service] || slices.Contains(f.imports, "database/sql")
		text, err := os.ReadFile("../apps/" + f.path)
		if err != nil {
			t.Fatal(err)
		}
		state[f.service] = state[f.service] || strings.Contains(string(text), ".State(cfg.")
	}
	for _, service := range []string{"product", "store", "reservation", "payment"} {
		if !sql[service] || state[service] {
			t.Errorf("%s: SQL %v, state store %v", service, sql[service], state[service])
		}
	}
	if sql["viewpage"] || !state["viewpage"] {
		t.Errorf("viewpage: SQL %v, state store %v", sql["viewpage"], state["viewpage"])
	}
}
