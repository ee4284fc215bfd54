package mysql_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/store/domain"
	"oneqtour/apps/store/mysql"
	"oneqtour/apps/store/usecase"
)

const today = terms.Date("2026-11-22")

// crowd fills the store with products that each leave on three days, one of them gone by. One in a thousand is DOMESTIC.
func crowd(t *testing.T, db *sql.DB) {
	t.Helper()
	now := time.Now().UTC()
	dbtest.Fill(t, db, `INSERT INTO items (product_id, version, listed, place, reserved, md_id, kind, country, name_ko, name_en, search,
		price, discounted_price, recommendation, cancellation_policy, as_of)`, dbtest.Rows, func(i int) []any {
		kind, country := "OVERSEAS", []string{"JP", "VN", "TH", "FR"}[i%4]
		if i%1000 == 0 {
			kind, country = "DOMESTIC", "KR"
		}
		return []any{dbtest.ID(i), 1, 1, -i % 50, i % 70, "md-1", kind, country, "이름", "name", fmt.Sprintf("이름 name %d hot springs", i),
			1000 + i, 900 + i, i % 6, `{"Type":"STANDARD"}`, now}
	})
	dbtest.Fill(t, db, "INSERT INTO departures (departure_id, product_id, date, capacity, seats_version)", 3*dbtest.Rows, func(i int) []any {
		return []any{dbtest.ID(i), dbtest.ID(i / 3), today.AddDays(i%3*20 - 20 + i/3%300), 20, 1}
	})
}

func TestEveryStatementHasItsIndex(t *testing.T) {
	db, watch := dbtest.OpenWatched(t, mysql.Migrations())
	crowd(t, db)
	watch.Analyze(db)
	items, ctx, id := mysql.NewItems(db), t.Context(), domain.ProductID(dbtest.ID(7123))
	list := func(s usecase.Search) error {
		s.Limit, s.Today = 20, today
		for page := range 3 {
			found, next, err := items.List(ctx, s)
			if err != nil || next == nil || len(found) != s.Limit {
				return fmt.Errorf("page %d has %d items (%w)", page, len(found), err)
			}
			s.After = next
		}
		return nil
	}
	watch.Methods(items, map[string]func() error{
		"Update": func() error {
			return items.Update(ctx, id, func(i *domain.DisplayItem) (bool, error) { i.Hide(true); return true, nil })
		},
		"CopySeats": func() error {
			return items.CopySeats(ctx, id, domain.DepartureID(dbtest.ID(3*7123)), domain.Seats{Version: 2, Reserved: 9, AsOf: time.Now()})
		},
		"Find": func() error { _, err := items.Find(ctx, id); return err },
		"List": func() error { return list(usecase.Search{Sort: usecase.ByPosition}) },
	})
	for _, sort := range []usecase.Sort{usecase.ByPosition, usecase.ByNewest, usecase.ByPrice, usecase.ByPriceDown,
		usecase.ByRecommendation, usecase.ByReserved, usecase.ByDeparture} {
		for name, s := range map[string]usecase.Search{"": {}, " of a country": {Country: "FR"}, " of a text": {Text: "springs"}} {
			s.Sort = sort
			watch.Of("List by "+string(sort)+name, func() error { return list(s) })
		}
	}
}
