package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/product/domain"
)

const productColumns = `product_id, md_id, status, version, kind, name_ko, name_en, description_ko, description_en,
	country, nights, price, discount_rate, recommendation, fx_benefit_rate, savings_offer, cancellation_policy,
	policy_version, created_at`

// policyRow is how special terms are stored.
type policyRow struct {
	Type    string
	Tiers   []terms.Tier `json:",omitempty"`
	Consent *domain.Text `json:",omitempty"`
}

func productValues(s domain.Snapshot) ([]any, error) {
	d := s.Details
	policy, err := json.Marshal(policyRow(d.Policy))
	if err != nil {
		return nil, fmt.Errorf("cancellation policy: %w", err)
	}
	var savings sql.NullString
	if d.Savings != nil {
		raw, err := json.Marshal(d.Savings)
		if err != nil {
			return nil, fmt.Errorf("savings offer: %w", err)
		}
		savings = sql.NullString{String: string(raw), Valid: true}
	}
	return []any{
		s.ID, s.MD, s.Status, s.Version, d.Kind, d.Name.Ko, d.Name.En, d.Description.Ko, d.Description.En,
		d.Country, d.Nights, d.Price, d.DiscountRate, d.Recommendation, d.FXBenefitRate, savings, string(policy),
		s.PolicyVersion, s.CreatedAt,
	}, nil
}

// insertProduct stores a product that an event of the given time tells.
func insertProduct(ctx context.Context, tx *sql.Tx, s domain.Snapshot, at time.Time) error {
	values, err := productValues(s)
	if err != nil {
		return err
	}
	marks := mysqldb.Marks(len(values))
	if _, err := tx.ExecContext(ctx, "INSERT INTO products ("+productColumns+", changed_at) VALUES ("+marks+", ?)", append(values, at)...); err != nil {
		return fmt.Errorf("insert product: %w", err)
	}
	return saveDepartures(ctx, tx, s)
}

func updateProduct(ctx context.Context, tx *sql.Tx, s domain.Snapshot, at time.Time) error {
	values, err := productValues(s)
	if err != nil {
		return err
	}
	set := strings.ReplaceAll(productColumns, ",", " = ?,") + " = ?, changed_at = ?"
	if _, err := tx.ExecContext(ctx, "UPDATE products SET "+set+" WHERE product_id = ?", append(values, at, s.ID)...); err != nil {
		return fmt.Errorf("update product: %w", err)
	}
	return saveDepartures(ctx, tx, s)
}

// saveDepartures writes all of them in one statement; none ever goes away.
func saveDepartures(ctx context.Context, tx *sql.Tx, s domain.Snapshot) error {
	args := make([]any, 0, 10*len(s.Departures))
	for i, d := range s.Departures {
		args = append(args, d.ID, s.ID, i, d.Date, d.Capacity, d.MinParticipants)
		if c := d.Closure; c != nil {
			args = append(args, c.Reason, c.Note, c.ClosedOn, c.ClosedAt)
		} else {
			args = append(args, nil, nil, nil, nil)
		}
	}
	rows := mysqldb.Rows(len(s.Departures), 10)
	_, err := tx.ExecContext(ctx, `INSERT INTO departures (departure_id, product_id, position, date, capacity,
			min_participants, closure_reason, closure_note, closed_on, closed_at) VALUES `+rows+`
		ON DUPLICATE KEY UPDATE position = VALUES(position), capacity = VALUES(capacity),
			min_participants = VALUES(min_participants), closure_reason = VALUES(closure_reason),
			closure_note = VALUES(closure_note), closed_on = VALUES(closed_on), closed_at = VALUES(closed_at)`, args...)
	if err != nil {
		return fmt.Errorf("save departures: %w", err)
	}
	return nil
}

func scanProducts(ctx context.Context, q querier, where string, args ...any) ([]*domain.Snapshot, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+productColumns+" FROM products WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []*domain.Snapshot
	for rows.Next() {
		var s domain.Snapshot
		var savings sql.NullString
		var policy string
		d := &s.Details
		if err := rows.Scan(&s.ID, &s.MD, &s.Status, &s.Version, &d.Kind, &d.Name.Ko, &d.Name.En, &d.Description.Ko,
			&d.Description.En, &d.Country, &d.Nights, &d.Price, &d.DiscountRate, &d.Recommendation, &d.FXBenefitRate,
			&savings, &policy, &s.PolicyVersion, &s.CreatedAt); err != nil {
			return nil, err
		}
		var p policyRow
		if err := json.Unmarshal([]byte(policy), &p); err != nil {
			return nil, fmt.Errorf("cancellation policy of %s: %w", s.ID, err)
		}
		d.Policy = domain.Policy(p)
		if savings.Valid {
			if err := json.Unmarshal([]byte(savings.String), &d.Savings); err != nil {
				return nil, fmt.Errorf("savings offer of %s: %w", s.ID, err)
			}
		}
		found = append(found, &s)
	}
	return found, rows.Err()
}

func addDepartures(ctx context.Context, q querier, products []*domain.Snapshot) error {
	if len(products) == 0 {
		return nil
	}
	byID := make(map[domain.ProductID]*domain.Snapshot, len(products))
	args := make([]any, 0, len(products))
	for _, p := range products {
		byID[p.ID] = p
		args = append(args, p.ID)
	}
	marks := mysqldb.Marks(len(args))
	rows, err := q.QueryContext(ctx, `SELECT product_id, departure_id, date, capacity, min_participants, closure_reason,
			closure_note, closed_on, closed_at FROM departures WHERE product_id IN (`+marks+`) ORDER BY product_id, position`, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id domain.ProductID
		var d domain.Departure
		var reason, note, on sql.NullString
		var at sql.NullTime
		if err := rows.Scan(&id, &d.ID, &d.Date, &d.Capacity, &d.MinParticipants, &reason, &note, &on, &at); err != nil {
			return err
		}
		if reason.Valid {
			d.Closure = &domain.Closure{Reason: domain.ClosureReason(reason.String), Note: note.String,
				ClosedOn: terms.Date(on.String), ClosedAt: at.Time}
		}
		byID[id].Departures = append(byID[id].Departures, d)
	}
	return rows.Err()
}
