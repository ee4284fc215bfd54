package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

type component struct {
	Metadata struct{ Name string }
	Spec     struct {
		Metadata []struct{ Name, Value string }
	}
	Scopes []string
}

func componentsOf(t *testing.T, kind string) map[string]component {
	t.Helper()
	files, err := filepath.Glob("../components/" + kind + "/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]component{}
	for _, name := range files {
		if filepath.Base(name) == "kustomization.yaml" {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c component
		if err := yaml.Unmarshal(raw, &c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[filepath.Base(filepath.Dir(name))] = c
	}
	if len(all) < 3 {
		t.Fatalf("only %d components of %s", len(all), kind)
	}
	return all
}

// Whoever may publish and hear something may do so whatever the broker is.
func TestI4_EveryBrokerLetsInTheSame(t *testing.T) {
	all := componentsOf(t, "pubsub")
	rules := func(c component) string {
		said := []string{c.Metadata.Name, strings.Join(c.Scopes, ",")}
		for _, m := range c.Spec.Metadata {
			if strings.HasSuffix(m.Name, "Scopes") {
				said = append(said, m.Name+": "+m.Value)
			}
		}
		return strings.Join(said, "\n")
	}
	for broker, c := range all {
		if got, want := rules(c), rules(all["redis"]); got != want {
			t.Errorf("%s lets in\n%s\nand redis\n%s", broker, got, want)
		}
	}
}

// Documents have the same keys in every store, and only the view may see them.
func TestI4_EveryStoreIsTheViewsAlone(t *testing.T) {
	for store, c := range componentsOf(t, "state") {
		prefix := ""
		for _, m := range c.Spec.Metadata {
			if m.Name == "keyPrefix" {
				prefix = m.Value
			}
		}
		if c.Metadata.Name != "statestore" || prefix != "name" || strings.Join(c.Scopes, ",") != "viewpage" {
			t.Errorf("%s: %+v", store, c)
		}
	}
}
