// Package tests holds what is true of the repository as a whole.
package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const apps = "oneqtour/apps/"

// file is a Go file below apps/ with what it imports.
type file struct {
	path    string // product/domain/product.go
	service string // product
	layer   string // domain; "" for main
	imports []string
	test    bool
}

func parse(t *testing.T) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir("../apps", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(p) != ".go" {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(p, "../apps/"))
		parts := strings.Split(path.Dir(rel), "/")
		f := file{path: rel, service: parts[0], test: strings.HasSuffix(rel, "_test.go")}
		if len(parts) > 1 {
			f.layer = parts[1]
		}
		for _, i := range tree.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, name)
		}
		files = append(files, f)
		return nil
	})
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// ours says whether an import is one of the project, and what follows apps/.
func ours(name string) (string, bool) { return strings.CutPrefix(name, apps) }

func standard(name string) bool { return !strings.Contains(strings.Split(name, "/")[0], ".") }

// What each layer may import of the project, beside its own layer. Imports point inward.
var inward = map[string][]string{
	"domain":  {"internal/fault", "internal/money", "internal/terms"},
	"usecase": {"internal/fault", "internal/money", "internal/terms", "internal/contract", "internal/outbox", "internal/telemetry"},
}

func TestA5_ImportsPointInward(t *testing.T) {
	for _, f := range parse(t) {
		allowed, inner := inward[f.layer]
		if !inner || f.service == "internal" || f.test {
			continue
		}
		if f.layer == "usecase" {
			allowed = append(slices.Clone(allowed), f.service+"/domain")
		}
		for _, name := range f.imports {
			if in, mine := ours(name); mine {
				if !slices.Contains(allowed, in) && in != f.service+"/"+f.layer {
					t.Errorf("%s imports %s", f.path, in)
				}
			} else if !standard(name) && f.layer == "domain" {
				t.Errorf("%s imports %s: a domain needs only the standard library", f.path, name)
			}
			if f.layer == "domain" && slices.Contains([]string{"database/sql", "net/http", "os", "log"}, name) {
				t.Errorf("%s imports %s: a domain has no edges", f.path, name)
			}
		}
	}
}

func TestA2_NoServiceImportsAnother(t *testing.T) {
	for _, f := range parse(t) {
		for _, name := range f.imports {
			in, mine := ours(name)
			if !mine {
				continue
			}
			to := strings.Split(in, "/")[0]
			if to != f.service && to != "internal" && (!f.test || to != "paymentsim" && to != "issuer") {
				t.Errorf("%s imports %s", f.path, in)
			}
		}
	}
}

// Each technology has its few importers, so that replacing it is a matter of one folder.
func TestA5_EdgesOwnTheirTechnology(t *testing.T) {
	for prefix, owners := range map[string][]string{
		"github.com/dapr/go-sdk":         {"internal/sidecar"},
		"github.com/gofiber/fiber/v2":    {"internal/web", "internal/webtest", "*/httpapi", "paymentsim"},
		"database/sql":                   {"internal/mysqldb", "internal/outbox", "internal/deadletter", "internal/replay", "internal/dbtest", "*/mysql"},
		"github.com/go-sql-driver/mysql": {"internal/mysqldb", "internal/dbtest"},
		"github.com/spf13/viper":         {"internal/config"},
	} {
		for _, f := range parse(t) {
			if f.test || !slices.ContainsFunc(f.imports, func(name string) bool { return strings.HasPrefix(name, prefix) }) {
				continue
			}
			in := path.Dir(f.path)
			if !slices.ContainsFunc(owners, func(owner string) bool {
				matched, _ := path.Match(owner, in)
				return matched
			}) {
				t.Errorf("%s imports %s, which belongs to %v", f.path, prefix, owners)
			}
		}
	}
}

// Fiber's own readers of a body know no limit, and inflate a compressed one: only web.Body reads.
func TestK5_OnlyWebReadsBodies(t *testing.T) {
	readers := []string{"Body", "BodyRaw", "BodyParser", "FormValue", "FormFile", "MultipartForm"}
	for _, f := range parse(t) {
		if f.test || f.service == "paymentsim" || path.Dir(f.path) == "internal/web" || !slices.Contains(f.imports, "github.com/gofiber/fiber/v2") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), "../apps/"+f.path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains(readers, method.Sel.Name) {
				return true
			}
			if of, ok := method.X.(*ast.Ident); !ok || of.Name != "web" {
				t.Errorf("%s calls %s: read the body by web.Body or web.Decode", f.path, method.Sel.Name)
			}
			return true
		})
	}
}
