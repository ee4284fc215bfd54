package mysql

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"oneqtour/apps/store/domain"
	"oneqtour/apps/store/usecase"
)

// sorting puts a list in line: by a column, then by id, which grows with the time of registration; both in the
// same direction, so that an index is read along and no further than to the end of the page.
type sorting struct {
	column string // none: by the id alone
	down   bool
	from   string // other than the items
	where  string // beside the filters
	days   int    // how often where asks for today
	value  string // of the column as a number, other than the column itself
}

// noDeparture is the date of items that have none to come; nobody leaves on it.
const noDeparture = 99991231

var sortings = map[usecase.Sort][]sorting{
	usecase.ByPosition:       {{column: "place", down: true}},
	usecase.ByNewest:         {{value: "0", down: true}},
	usecase.ByPrice:          {{column: "discounted_price"}},
	usecase.ByPriceDown:      {{column: "discounted_price", down: true}},
	usecase.ByRecommendation: {{column: "recommendation", down: true}},
	usecase.ByReserved:       {{column: "reserved", down: true}},
	// First what leaves some day, by the first departure to come of each item; then the rest.
	usecase.ByDeparture: {{
		column: "d.date", value: "CAST(REPLACE(d.date, '-', '') AS SIGNED)", days: 2,
		from: "departures d FORCE INDEX (by_date) STRAIGHT_JOIN items i ON i.product_id = d.product_id",
		where: `d.date > ? AND d.closed = 0 AND d.seats_closed = 0 AND NOT EXISTS (SELECT 1 FROM departures e
			WHERE e.product_id = d.product_id AND e.date > ? AND e.date < d.date AND e.closed = 0 AND e.seats_closed = 0)`,
	}, {
		value: strconv.Itoa(noDeparture), days: 1,
		where: `NOT EXISTS (SELECT 1 FROM departures e WHERE e.product_id = i.product_id AND e.date > ?
			AND e.closed = 0 AND e.seats_closed = 0)`,
	}},
}

// List reads a page by two queries, or three where a part of the order ends on it: the items, then the departures of
// all of them.
func (r *Items) List(ctx context.Context, s usecase.Search) ([]*domain.DisplayItem, *usecase.Place, error) {
	var rows []row
	for _, by := range partsBehind(s) {
		query, args := listQuery(by, s, s.Limit+1-len(rows))
		more, err := queryItems(ctx, r.db, query, args...)
		if err != nil {
			return nil, nil, fmt.Errorf("list items: %w", err)
		}
		if rows = append(rows, more...); len(rows) > s.Limit {
			break
		}
		s.After = nil // the next part is read from its begin
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

// partsBehind are the parts of an order that a page may reach.
func partsBehind(s usecase.Search) []sorting {
	parts := sortings[s.Sort]
	if s.After != nil && s.After.Value == noDeparture {
		return parts[len(parts)-1:]
	}
	return parts
}

func listQuery(by sorting, s usecase.Search, limit int) (string, []any) {
	where := []string{"listed = 1"}
	var args []any
	filter := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if by.where != "" {
		filter(by.where, slices.Repeat([]any{s.Today}, by.days)...)
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
	id := "i.product_id"
	if by.from != "" {
		id = "d.product_id"
	}
	order := id + direction
	if by.column != "" {
		order = by.column + direction + ", " + order
	}
	if p := s.After; p != nil && by.column == "" {
		filter(id+" "+beyond+" ?", p.ID)
	} else if p != nil {
		at := by.place(p)
		filter(fmt.Sprintf("%[1]s %[2]s= ? AND (%[1]s %[2]s ? OR %[3]s %[2]s ?)", by.column, beyond, id), at, at, p.ID)
	}
	// The page is found by narrow rows; texts are read only of what is on it.
	page := fmt.Sprintf("SELECT %s AS id, %s AS value FROM %s WHERE %s ORDER BY %s LIMIT ?",
		id, cmp.Or(by.value, by.column), cmp.Or(by.from, "items i"), strings.Join(where, " AND "), order)
	query := fmt.Sprintf("SELECT %s, p.value FROM (%s) p JOIN items i ON i.product_id = p.id ORDER BY p.value%[3]s, p.id%[3]s",
		itemColumns, page, direction)
	return query, append(args, limit)
}

// place is where a page has ended, as the column has it.
func (by sorting) place(p *usecase.Place) any {
	if by.from == "" {
		return p.Value
	}
	return fmt.Sprintf("%04d-%02d-%02d", p.Value/10000, p.Value/100%100, p.Value%100)
}

var escaped = strings.NewReplacer("|", "||", "%", "|%", "_", "|_")

// searchable makes texts comparable: small letters, and one form for letters that Unicode can write in two
// ways, as Korean from a Mac is.
func searchable(texts ...string) string {
	return norm.NFC.String(strings.ToLower(strings.Join(texts, "\n")))
}
