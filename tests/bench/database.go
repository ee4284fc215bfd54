package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Statements is what all services together asked of the database server, for each reservation.
type Statements struct {
	Statements float64 `json:"statements"`
	Commits    float64 `json:"commits"`
	Syncs      float64 `json:"syncs"` // of its files to the disk
}

// counters of the server.
func (m *market) counters(ctx context.Context) (map[string]float64, error) {
	rows, err := m.sys.Database(strict{}, "reservation").QueryContext(ctx,
		"SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Com_commit', 'Innodb_data_fsyncs', 'Innodb_os_log_fsyncs')")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	all := map[string]float64{}
	for rows.Next() {
		var name string
		var n float64
		if err := rows.Scan(&name, &n); err != nil {
			return nil, err
		}
		all[name] = n
	}
	return all, rows.Err()
}

func statements(before, after map[string]float64, reservations int) Statements {
	per := func(name string) float64 { return (after[name] - before[name]) / float64(max(reservations, 1)) }
	// Servers count the log's own syncs apart, or among all of the files.
	return Statements{per("Questions"), per("Com_commit"), max(per("Innodb_data_fsyncs"), per("Innodb_os_log_fsyncs"))}
}

// settled waits until everybody has heard everything, and says how long that took: no event waits in an outbox, the MDs
// have a notice of each change, and store and board show what is confirmed.
func (m *market) settled(ctx context.Context) (time.Duration, error) {
	begun := time.Now()
	err := await(ctx, 3*time.Minute, "all events are consumed", func() error {
		for _, service := range []string{"product", "reservation", "payment"} {
			if n, err := m.count(ctx, service, "SELECT COUNT(*) FROM outbox"); err != nil || n > 0 {
				return cmp.Or(err, fmt.Errorf("%d events wait in the outbox of %s", n, service))
			}
		}
		changes, err1 := m.count(ctx, "reservation", "SELECT COALESCE(SUM(version - 1), 0) FROM reservations")
		notices, err2 := m.count(ctx, "product", "SELECT COUNT(*) FROM notices")
		confirmed, err3 := m.count(ctx, "reservation", "SELECT COALESCE(SUM(confirmed), 0) FROM departures")
		reserved, err4 := m.count(ctx, "store", "SELECT COALESCE(SUM(reserved), 0) FROM items")
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			return err
		}
		if notices != changes || reserved != confirmed {
			return fmt.Errorf("%d notices of %d changes; the store knows of %d of %d confirmed", notices, changes, reserved, confirmed)
		}
		if shown, err := m.shown(); err != nil || shown != confirmed {
			return cmp.Or(err, fmt.Errorf("the board shows %d of %d confirmed", shown, confirmed))
		}
		return nil
	})
	return time.Since(begun), err
}

// shown is how many seats the whole board shows as confirmed.
func (m *market) shown() (n int64, err error) {
	pages, _, err := m.boardPages(100)
	for _, page := range pages {
		for _, item := range page.Items {
			for _, d := range item.Departures {
				n += int64(d.Confirmed)
			}
		}
	}
	return n, err
}

func (m *market) count(ctx context.Context, service, query string) (n int64, err error) {
	err = m.sys.Database(strict{}, service).QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// await asks until the condition holds, every 50 ms.
func await(ctx context.Context, within time.Duration, what string, condition func() error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := condition()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %s: %w", what, within, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
