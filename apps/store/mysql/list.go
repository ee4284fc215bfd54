package mysql

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"

	"oneqtour/apps/store/domain"
	"oneqtour/apps/store/usecase"
)

// sorting puts a list in line: by an expression, then by id, which grows with the time of registration;
// both in the same direction, so that an index is read along.
type sorting struct {
	value string
	down  bool
	join  string // what the expression needs beside the item
}

// Only by_departure, which depends on the day, is sorted anew for each page.
const nextDeparture = `LEFT JOIN (SELECT product_id, MIN(date) AS next_date FROM departures
	WHERE date > ? AND closed = 0 AND seats_closed = 0 GROUP BY product_id) d ON d.product_id = i.product_id`

var sortings = map[usecase.Sort]sorting{
	usecase.ByPosition:       {value: "place", down: true},
	usecase.ByNewest:         {value: "0", down: true},
	usecase.ByPrice:          {value: "discounted_price"},
	usecase.ByPriceDown:      {value: "discounted_price", down: true},
	usecase.ByRecommendation: {value: "recommendation", down: true},
	usecase.ByReserved:       {value: "reserved", down: true},
	// The date as a number, YYYYMMDD; items without a departure to come are the last.
	usecase.ByDeparture: {value: "CAST(REPLACE(COALESCE(next_date, '9999-12-31'), '-', '') AS SIGNED)", join: nextDeparture},
}

// List reads a page by two queries: the items, then the departures of all of them.
func (r *Items) List(ctx context.Context, s usecase.Search) ([]*domain.DisplayItem, *usecase.Place, error) {
	query, args := listQuery(s)
	rows, err := queryItems(ctx, r.db, query, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("list items: %w", err)
	}
	var next *usecase.Place
	if len(rows) > s.Limit {
		rows = rows[:s.Limit]
		last := rows[s.Limit-1]
		next = &usecase.Place{Sort: s.Sort, Value: last.value, ID: last.item.Offer.ProductID}
	}
	items, err := withDepartures(ctx, r.db, rows)
	if err != nil {
		return nil, nil, fmt.Errorf("list departures: %w", err)
	}
	return items, next, nil
}

func listQuery(s usecase.Search) (string, []any) {
	by := sortings[s.Sort]
	var args []any
	if by.join != "" {
		args = append(args, s.Today)
	}
	where := []string{"listed = 1"}
	filter := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if s.Kind != "" {
		filter("kind = ?", s.Kind)
	}
	if s.Country != "" {
		filter("country = ?", s.Country)
	}
	if s.Text != "" {
		filter("search LIKE ? ESCAPE '|'", "%"+escaped.Replace(searchable(s.Text))+"%")
	}
	direction, beyond := "", ">"
	if by.down {
		direction, beyond = " DESC", "<"
	}
	if p := s.After; p != nil {
		filter(fmt.Sprintf("%[1]s %[2]s= ? AND (%[1]s %[2]s ? OR i.product_id %[2]s ?)", by.value, beyond), p.Value, p.Value, p.ID)
	}
	// The page is found by narrow rows; texts are read only of what is on it.
	page := fmt.Sprintf("SELECT i.product_id AS id, %s AS value FROM items i %s WHERE %s ORDER BY %s i.product_id%s LIMIT ?",
		by.value, by.join, strings.Join(where, " AND "), sortedBy(by.value, direction), direction)
	query := fmt.Sprintf("SELECT %s, p.value FROM (%s) p JOIN items i ON i.product_id = p.id ORDER BY p.value%[3]s, p.id%[3]s",
		itemColumns, page, direction)
	return query, append(args, s.Limit+1)
}

// sortedBy leaves a constant out: SQL would take a number for the place of a column.
func sortedBy(value, direction string) string {
	if value == "0" {
		return ""
	}
	return value + direction + ","
}

var escaped = strings.NewReplacer("|", "||", "%", "|%", "_", "|_")

// searchable makes texts comparable: small letters, and one form for letters that Unicode can write in two
// ways, as Korean from a Mac is.
func searchable(texts ...string) string {
	return norm.NFC.String(strings.ToLower(strings.Join(texts, "\n")))
}
