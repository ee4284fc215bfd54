package oracle

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Sampler looks at a running system again and again: what must hold at every instant.
type Sampler struct {
	sources Sources
	paid    map[string]bool // reservations whose payment was seen: it cannot become unpaid unnoticed, the end looks again
}

// NewSampler of a system.
func NewSampler(s Sources) *Sampler { return &Sampler{sources: s, paid: map[string]bool{}} }

// Look takes one sample. An error means that nothing could be seen, as while the database is away.
func (s *Sampler) Look(ctx context.Context, calls *Log) ([]Finding, error) {
	w := &World{At: time.Now(), Departures: map[string]*Departure{}}
	due := map[string]int64{}
	err := s.sources.snapshot(ctx, "reservation", func(tx *sql.Conn) error {
		if err := readDepartures(ctx, tx, w); err != nil {
			return err
		}
		if err := each(ctx, tx, `SELECT departure_id, status, COUNT(*), SUM(JSON_VALUE(document, '$.travellers'))
			FROM reservations GROUP BY departure_id, status`, func(scan scanner) error {
			var departure, status string
			var reservations, seats int
			if err := scan(&departure, &status, &reservations, &seats); err != nil {
				return err
			}
			d := w.Departures[departure]
			if d == nil {
				return fmt.Errorf("reservations of departure %s, which does not exist", departure)
			}
			d.count(status, reservations, seats)
			return nil
		}); err != nil {
			return err
		}
		return each(ctx, tx, `SELECT id, JSON_VALUE(document, '$.dueNow') FROM reservations WHERE status IN ('CONFIRMED', 'COMPLETED')`, func(scan scanner) error {
			var id string
			var won int64
			err := scan(&id, &won)
			if !s.paid[id] {
				due[id] = won
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	found := w.seatCounts(calls)
	// Payment is read after reservation: what is CONFIRMED there must have been approved before. The opposite is not
	// so, and a reservation that is cancelled in between keeps its approved payment.
	for id, won := range due {
		var amount int64
		err := s.sources.DB["payment"].QueryRowContext(ctx, "SELECT amount FROM payments WHERE reservation_id = ? AND status = 'APPROVED'", id).Scan(&amount)
		switch {
		case err == sql.ErrNoRows:
			found = append(found, Finding{Unpaid, id, "CONFIRMED without an approved payment"})
		case err != nil:
			return found, err
		case amount != won:
			found = append(found, Finding{Unpaid, id, fmt.Sprintf("CONFIRMED, due are %d won, approved %d", won, amount)})
		default:
			s.paid[id] = true
		}
	}
	return found, nil
}
