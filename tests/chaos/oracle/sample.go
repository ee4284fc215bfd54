package oracle

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Sampler looks at a running system again and again: what must hold at every instant.
type Sampler struct {
	sources Sources
	paid    map[string]bool  // reservations whose payment was seen: it cannot become unpaid unnoticed, the end looks again
	before  map[string]taken // by departure, at the last sample
}

// taken are the seats of a departure that somebody has, and its capacity as product said it.
type taken struct{ seats, asked int }

// NewSampler of a system.
func NewSampler(s Sources) *Sampler {
	return &Sampler{sources: s, paid: map[string]bool{}, before: map[string]taken{}}
}

// Lost says whether a look failed because the database could not be reached, or did not answer in time.
func Lost(err error) bool {
	var network net.Error
	for _, lost := range []error{driver.ErrBadConn, mysql.ErrInvalidConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return errors.As(err, &network)
}

// Look takes one sample. An error means that it could not be taken.
func (s *Sampler) Look(ctx context.Context, calls *Log) ([]Finding, error) {
	w := &World{At: time.Now(), Departures: map[string]*Departure{}}
	due := map[string]int64{}
	if err := s.sources.snapshot(ctx, "reservation", func(tx *sql.Conn) error {
		if err := readDepartures(ctx, tx, w); err != nil {
			return err
		}
		if err := countReservations(ctx, tx, w); err != nil {
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
	}); err != nil {
		return nil, err
	}
	found := append(w.seatCounts(calls), s.growth(w, calls)...)
	unpaid, err := s.unpaid(ctx, due)
	return append(found, unpaid...), err
}

func countReservations(ctx context.Context, tx *sql.Conn, w *World) error {
	return each(ctx, tx, `SELECT departure_id, status, COUNT(*), SUM(JSON_VALUE(document, '$.travellers'))
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
	})
}

// growth: a departure that its MD made smaller than what was taken takes nobody more while it stays so small. A
// capacity that was asked for twice may have been another one in between.
func (s *Sampler) growth(w *World, calls *Log) []Finding {
	var f findings
	for id, d := range w.Departures {
		now, was := taken{d.Held + d.Confirmed, d.Asked}, s.before[id]
		if was.asked == now.asked && was.seats >= was.asked && now.seats > was.seats && calls.askedOnce(id, now.asked) {
			f.add(Oversold, id, "%d of %d seats were taken, and now %d", was.seats, was.asked, now.seats)
		}
		s.before[id] = now
	}
	return f
}

// unpaid: payment is read after reservation, so what is CONFIRMED there must have been approved before. The opposite
// is not so, and a reservation that is cancelled in between keeps its approved payment.
func (s *Sampler) unpaid(ctx context.Context, due map[string]int64) ([]Finding, error) {
	var found findings
	for id, won := range due {
		var amount int64
		err := s.sources.DB["payment"].QueryRowContext(ctx, "SELECT amount FROM payments WHERE reservation_id = ? AND status = 'APPROVED'", id).Scan(&amount)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			found.add(Unpaid, id, "CONFIRMED without an approved payment")
		case err != nil:
			return found, err
		case amount != won:
			found.add(Unpaid, id, "CONFIRMED, due are %d won, approved %d", won, amount)
		default:
			s.paid[id] = true
		}
	}
	return found, nil
}
