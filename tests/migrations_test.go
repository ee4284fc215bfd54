package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// ofMariaDB is what MariaDB and TiDB understand in an ALTER TABLE or for an index, and MySQL 8 refuses to parse.
var ofMariaDB = regexp.MustCompile(`(?i)\b((ADD|DROP|CHANGE|MODIFY|CREATE)\s+(UNIQUE\s+)?(COLUMN|INDEX|KEY|FOREIGN KEY|CONSTRAINT)\s+IF\s+(NOT\s+)?EXISTS)`)

// On MySQL 8 a service whose migrations cannot be parsed never starts.
func TestMigrationsAreWrittenForMySQLAsWell(t *testing.T) {
	files, err := filepath.Glob("../apps/*/*/migrations/*.sql")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	comment := regexp.MustCompile(`(?m)^\s*--.*$`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := ofMariaDB.Find(comment.ReplaceAll(text, nil)); found != nil {
			t.Errorf("%s: %s", name, found)
		}
	}
}
