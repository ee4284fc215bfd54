package mysqldb

import (
	"database/sql/driver"
	"errors"

	"github.com/go-sql-driver/mysql"
)

// Undone says whether an error proves that a statement which is its own transaction has changed nothing: the
// server refused it, or it never left. Everything else, a deadline or a broken connection, leaves it open.
func Undone(err error) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return errors.Is(err, driver.ErrBadConn) // by its contract: nothing was sent
	}
	switch e.Number {
	case 1053, 1317, 1927, 1969, // ended from outside: perhaps behind the commit
		8501: // TiDB: it does not know itself
		return false
	}
	return true
}
