// daprd as the local stack runs it: Dapr's own runtime with its stable components (build tag
// stablecomponents) and one more, the name resolution by an SQLite file, which Dapr's stable set lacks.
package main

import (
	"github.com/dapr/components-contrib/nameresolution/sqlite"
	"github.com/dapr/dapr/cmd/daprd/app"
	"github.com/dapr/dapr/pkg/components/nameresolution"
)

func main() {
	nameresolution.DefaultRegistry.RegisterComponent(sqlite.NewResolver, "sqlite")
	app.Run()
}
