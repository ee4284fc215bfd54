// Package deploy shows that what is deployed elsewhere is whole, without a cluster to try it on.
package deploy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const root = "../.."

// apps are the app ids of dapr.yaml.
func apps(t *testing.T) (ids []string) {
	t.Helper()
	var file struct {
		Apps []struct {
			AppID string `yaml:"appID"`
		}
	}
	read(t, "dapr.yaml", &file)
	for _, app := range file.Apps {
		ids = append(ids, app.AppID)
	}
	if len(ids) < 6 {
		t.Fatalf("dapr.yaml names only %v", ids)
	}
	return ids
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

func render(t *testing.T) resmap.ResMap {
	t.Helper()
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(root, "deploy/k8s/base"))
	if err != nil {
		t.Fatal(err)
	}
	return rendered
}

// deployment, as far as the test reads it.
type deployment struct {
	Spec struct {
		Template struct {
			Metadata struct {
				Annotations map[string]string
			}
			Spec struct {
				Containers []struct {
					Name, Image    string
					ReadinessProbe any `yaml:"readinessProbe"`
					LivenessProbe  any `yaml:"livenessProbe"`
					Env            []struct{ Name string }
				}
			}
		}
	}
}

// Every app of dapr.yaml becomes a Deployment with a sidecar of the same id, the same health check and its own tokens.
func TestK8s_EveryAppIsDeployedWithItsSidecar(t *testing.T) {
	found := map[string]deployment{}
	for _, r := range render(t).Resources() {
		if r.GetKind() != "Deployment" {
			continue
		}
		var d deployment
		if err := yaml.Unmarshal([]byte(r.MustYaml()), &d); err != nil {
			t.Fatal(err)
		}
		found[r.GetName()] = d
	}
	ids := apps(t)
	for _, app := range ids {
		d, ok := found[app]
		if !ok {
			t.Errorf("%s is not deployed", app)
			continue
		}
		a := d.Spec.Template.Metadata.Annotations
		for name, want := range map[string]string{
			"dapr.io/enabled": "true", "dapr.io/app-id": app, "dapr.io/app-token-secret": app + "-app-token",
			"dapr.io/enable-app-health-check": "true", "dapr.io/app-health-check-path": "/readyz", "dapr.io/app-health-threshold": "2",
		} {
			if a[name] != want {
				t.Errorf("%s: %s is %q, want %q", app, name, a[name], want)
			}
		}
		if secret := a["dapr.io/api-token-secret"]; (secret == app+"-api-token") == (app == "gateway") {
			t.Errorf("%s: the sidecar's token is %q", app, secret)
		}
		containers := d.Spec.Template.Spec.Containers
		if len(containers) != 1 || !strings.HasSuffix(containers[0].Image, "/"+app) || containers[0].ReadinessProbe == nil || containers[0].LivenessProbe == nil {
			t.Errorf("%s: %+v", app, containers)
		}
	}
	for name := range found {
		if !slices.Contains(ids, name) {
			t.Errorf("%s is deployed and not in dapr.yaml", name)
		}
	}
}

// The components and rules are those of components/, less what only one machine needs.
func TestK8s_ComponentsAndRulesAreTheSame(t *testing.T) {
	names := map[string]bool{}
	for _, r := range render(t).Resources() {
		names[r.GetKind()+" "+r.GetName()] = true
		if text := r.MustYaml(); r.GetKind() == "Configuration" && (strings.Contains(text, "nameResolution") || strings.Contains(text, "names.db")) {
			t.Errorf("%s still has names in a file", r.GetName())
		}
		if r.GetKind() != "Namespace" && r.GetNamespace() != "oneqtour" {
			t.Errorf("%s %s is in namespace %q", r.GetKind(), r.GetName(), r.GetNamespace())
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "components", "*", "*.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	files = append(files, filepath.Join(root, "components/pubsub/redis/pubsub.yaml"), filepath.Join(root, "components/state/redis/statestore.yaml"))
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		var resource struct {
			Kind     string
			Metadata struct{ Name string }
		}
		read(t, strings.TrimPrefix(file, root+"/"), &resource)
		if !names[resource.Kind+" "+resource.Metadata.Name] {
			t.Errorf("%s is not deployed", file)
		}
	}
}

// Docker Compose starts every app, with a sidecar in its network that has the same id, health check and tokens.
func TestCompose_EveryAppHasItsSidecar(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Build       struct{ Args map[string]string }
			Command     string
			NetworkMode string            `yaml:"network_mode"`
			Environment map[string]string `yaml:"environment"`
			Ports       []string
		}
	}
	read(t, "deploy/compose.yaml", &file)
	for _, app := range apps(t) {
		service, sidecar := file.Services[app], file.Services[app+"-sidecar"]
		if service.Build.Args["APP"] != app || service.Environment["APP_ID"] != app {
			t.Errorf("%s: %+v", app, service)
		}
		if sidecar.NetworkMode != "service:"+app || !strings.Contains(sidecar.Command, "--app-id "+app+" ") || !strings.Contains(sidecar.Command, "--app-health-check-path /readyz") {
			t.Errorf("the sidecar of %s: %+v", app, sidecar)
		}
		for _, token := range []string{"APP_API_TOKEN", "DAPR_API_TOKEN"} {
			if service.Environment[token] != sidecar.Environment[token] || (service.Environment[token] == "") != (app == "gateway" && token == "DAPR_API_TOKEN") {
				t.Errorf("%s: %s is %q, and %q at its sidecar", app, token, service.Environment[token], sidecar.Environment[token])
			}
		}
	}
	for name, service := range file.Services {
		for _, port := range service.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s is published at %s", name, port)
			}
		}
	}
}
