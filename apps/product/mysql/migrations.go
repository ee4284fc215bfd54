package mysql

import (
	"embed"
	"io/fs"

	"oneqtour/apps/internal/mysqldb"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations creates the tables of the service.
func Migrations() mysqldb.Migrations {
	sub, _ := fs.Sub(files, "migrations")
	return mysqldb.Migrations{Owner: "product", Files: sub}
}
