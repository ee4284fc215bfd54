package mysqldb

import "strings"

// Marks are n placeholders for an IN: ?,?,?
func Marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

// Rows are placeholders for n rows of so many columns, for one INSERT: (?,?),(?,?)
func Rows(n, columns int) string {
	return strings.TrimSuffix(strings.Repeat("("+Marks(columns)+"),", n), ",")
}
