package e2e

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// Whoever reaches the database's port without a password gets nothing, whatever name is given.
func TestTheDatabaseAsksEverybodyForAPassword(t *testing.T) {
	at, err := url.Parse(sys.URL(3390))
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"root", "oneq_admin", "oneq_product", "", "anybody"} {
		db, err := sql.Open("mysql", fmt.Sprintf("%s@tcp(%s)/", user, at.Host))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		var denied *mysql.MySQLError
		if err := db.Ping(); !errors.As(err, &denied) || !strings.Contains(denied.Message, "denied") {
			t.Errorf("%q without a password: %v", user, err)
		}
	}
}
