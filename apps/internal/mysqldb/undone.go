package mysqldb

import (
	"database/sql/driver"
	"errors"

	"github.com/go-sql-driver/mysql"
)

// undetermined is TiDB's word that it does not know itself whether a commit was made.
const undetermined = 8501

// Undone says whether an error proves that a statement which is its own transaction has changed nothing: the
// server refused it, or it never left. Everything else, a deadline or a broken connection, leaves it open.
func Undone(err error) bool {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number != undetermined
	}
	return errors.Is(err, driver.ErrBadConn) // by its contract: nothing was sent
}
