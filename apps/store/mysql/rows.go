package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/store/domain"
)

const (
	itemColumns = `i.product_id, version, withdrawn, hidden, position, reserved, md_id, kind, country, name_ko, name_en,
		COALESCE(description_ko, ''), COALESCE(description_en, ''), nights, price, discount_rate, recommendation,
		fx_benefit_rate, savings_offer, cancellation_policy, as_of`
	seatColumns = "seats_version, seats_capacity, seats_held, seats_confirmed, seats_closed, reserved, seats_as_of"
)

// row is an item without its departures, with the value that its page is sorted by.
type row struct {
	item  domain.Snapshot
	value int64
}

func queryItems(ctx context.Context, q querier, query string, args ...any) ([]row, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []row
	for rows.Next() {
		var r row
		var position sql.Null[int]
		var savings, policy sql.NullString
		var asOf sql.NullTime
		s, o := &r.item, &r.item.Offer
		if err := rows.Scan(&o.ProductID, &o.Version, &s.Withdrawn, &s.Hidden, &position, &s.Reserved, &o.MD, &o.Kind, &o.Country,
			&o.Name.Ko, &o.Name.En, &o.Description.Ko, &o.Description.En, &o.Nights, &o.Price, &o.DiscountRate, &o.Recommendation,
			&o.FXBenefitRate, &savings, &policy, &asOf, &r.value); err != nil {
			return nil, err
		}
		if position.Valid {
			s.Position = &position.V
		}
		o.AsOf = asOf.Time
		if err := decode(savings, &o.Savings); err != nil {
			return nil, fmt.Errorf("savings offer of %s: %w", o.ProductID, err)
		}
		if err := decode(policy, &o.Policy); err != nil {
			return nil, fmt.Errorf("cancellation policy of %s: %w", o.ProductID, err)
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

func decode(stored sql.NullString, into any) error {
	if !stored.Valid {
		return nil
	}
	return json.Unmarshal([]byte(stored.String), into)
}

// withDepartures adds the departures of all items by one query.
func withDepartures(ctx context.Context, q querier, found []row) ([]*domain.DisplayItem, error) {
	if len(found) == 0 {
		return nil, nil
	}
	at := make(map[domain.ProductID]int, len(found))
	args := make([]any, 0, len(found))
	for i, r := range found {
		at[r.item.Offer.ProductID] = i
		args = append(args, r.item.Offer.ProductID)
	}
	rows, err := q.QueryContext(ctx, "SELECT product_id, departure_id, date, capacity, closed, "+seatColumns+
		" FROM departures WHERE product_id IN ("+mysqldb.Marks(len(args))+") AND date IS NOT NULL ORDER BY product_id, date", args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id domain.ProductID
		var d domain.Departure
		var asOf sql.NullTime
		s := &d.Seats
		if err := rows.Scan(&id, &d.ID, &d.Date, &d.PlannedDeparture.Capacity, &d.PlannedDeparture.Closed,
			&s.Version, &s.Capacity, &s.Held, &s.Confirmed, &s.Closed, &s.Reserved, &asOf); err != nil {
			return nil, err
		}
		s.AsOf = asOf.Time
		item := &found[at[id]].item
		item.Departures = append(item.Departures, d)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	items := make([]*domain.DisplayItem, 0, len(found))
	for _, r := range found {
		items = append(items, domain.Restore(r.item))
	}
	return items, nil
}

func saveItem(ctx context.Context, tx *sql.Tx, id domain.ProductID, item *domain.DisplayItem) error {
	s := item.Snapshot()
	o := s.Offer
	policy, err := json.Marshal(o.Policy)
	if err != nil {
		return fmt.Errorf("cancellation policy: %w", err)
	}
	var savings sql.NullString
	if o.Savings != nil {
		raw, err := json.Marshal(o.Savings)
		if err != nil {
			return fmt.Errorf("savings offer: %w", err)
		}
		savings = sql.NullString{String: string(raw), Valid: true}
	}
	// Not reserved: CopySeats alone writes it.
	_, err = tx.ExecContext(ctx, `UPDATE items SET version = ?, listed = ?, withdrawn = ?, hidden = ?, position = ?, place = ?,
			md_id = ?, kind = ?, country = ?, name_ko = ?, name_en = ?, description_ko = ?, description_en = ?, search = ?,
			nights = ?, price = ?, discount_rate = ?, discounted_price = ?, recommendation = ?, fx_benefit_rate = ?,
			savings_offer = ?, cancellation_policy = ?, as_of = ? WHERE product_id = ?`,
		o.Version, item.Listed(), s.Withdrawn, s.Hidden, s.Position, place(s.Position),
		o.MD, o.Kind, o.Country, o.Name.Ko, o.Name.En, o.Description.Ko, o.Description.En,
		searchable(o.Name.Ko, o.Name.En, o.Description.Ko, o.Description.En),
		o.Nights, o.Price, o.DiscountRate, item.DiscountedPrice(), o.Recommendation, o.FXBenefitRate,
		savings, string(policy), o.AsOf, id)
	if err != nil {
		return fmt.Errorf("save item: %w", err)
	}
	return nil
}

// savePlanned writes what product has told of the departures and leaves their seats alone.
func savePlanned(ctx context.Context, tx *sql.Tx, id domain.ProductID, departures []domain.Departure) error {
	if len(departures) == 0 {
		return nil
	}
	args := make([]any, 0, 5*len(departures))
	for _, d := range departures {
		args = append(args, d.ID, id, d.Date, d.PlannedDeparture.Capacity, d.PlannedDeparture.Closed)
	}
	rows := mysqldb.Rows(len(departures), 5)
	_, err := tx.ExecContext(ctx, "INSERT INTO departures (departure_id, product_id, date, capacity, closed) VALUES "+rows+
		" ON DUPLICATE KEY UPDATE date = VALUES(date), capacity = VALUES(capacity), closed = VALUES(closed)", args...)
	if err != nil {
		return fmt.Errorf("save departures: %w", err)
	}
	return nil
}

// saveSeats writes what reservation has told of departures and leaves product's word alone.
func saveSeats(ctx context.Context, tx *sql.Tx, batch []totals) error {
	var args []any
	for _, t := range batch {
		s := t.seats
		args = append(args, t.departure, t.product, s.Version, s.Capacity, s.Held, s.Confirmed, s.Closed, s.Reserved, s.AsOf)
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO departures (departure_id, product_id, "+seatColumns+") VALUES "+mysqldb.Rows(len(batch), 9)+`
		ON DUPLICATE KEY UPDATE seats_version = VALUES(seats_version), seats_capacity = VALUES(seats_capacity),
			seats_held = VALUES(seats_held), seats_confirmed = VALUES(seats_confirmed), seats_closed = VALUES(seats_closed),
			reserved = VALUES(reserved), seats_as_of = VALUES(seats_as_of)`, args...)
	if err != nil {
		return fmt.Errorf("save seats: %w", err)
	}
	return nil
}

// unplaced stands behind every position.
const unplaced = -1 << 31

// place turns positions around, so that one index serves "positions upwards, then the newest": both of its
// columns are read downwards.
func place(position *int) int64 {
	if position == nil {
		return unplaced
	}
	return -int64(*position)
}
