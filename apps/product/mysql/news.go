package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/product/domain"
)

// hear locks the counters of the MDs first, so that two events of one MD never take the same number, and a number is
// used only by a notice that was committed.
func (r *Inbox) hear(ctx context.Context, batch []domain.ReservationNews) error {
	// Most repeats end here, without the lock that all news of an MD share.
	batch, err := unheard(ctx, r.db, newest(batch))
	if err != nil || len(batch) == 0 {
		return err
	}
	// Of a reservation that was just made there is nothing to tell: it needs no number, and waits for nobody's.
	untold := slices.DeleteFunc(slices.Clone(batch), func(n domain.ReservationNews) bool { return len(n.MissingNotices(0, nil)) == 0 })
	if len(untold) == 0 {
		return remember(ctx, r.db, batch)
	}
	return mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		last, err := lockCounters(ctx, tx, untold)
		if err != nil {
			return fmt.Errorf("counters of the inboxes: %w", err)
		}
		heard, err := heardVersions(ctx, tx, untold)
		if err != nil {
			return fmt.Errorf("heard before: %w", err)
		}
		known, err := noticedVersions(ctx, tx, untold)
		if err != nil {
			return fmt.Errorf("read notices: %w", err)
		}
		missing := map[domain.MDID][]domain.Notice{}
		for _, news := range untold {
			if found := news.MissingNotices(newestOf(heard[news.ReservationID]), known[news.ReservationID]); len(found) > 0 {
				missing[news.MD] = append(missing[news.MD], found...)
			}
		}
		if err := r.addNotices(ctx, tx, last, missing); err != nil {
			return err
		}
		return remember(ctx, tx, batch)
	})
}

// newest leaves one of each reservation, since each brings the whole history.
func newest(batch []domain.ReservationNews) []domain.ReservationNews {
	at := map[string]int{}
	var out []domain.ReservationNews
	for _, news := range batch {
		i, there := at[news.ReservationID]
		switch {
		case !there:
			at[news.ReservationID] = len(out)
			out = append(out, news)
		case news.Version > out[i].Version:
			out[i] = news
		}
	}
	return out
}

// unheard leaves what says more than is known already.
func unheard(ctx context.Context, q querier, batch []domain.ReservationNews) ([]domain.ReservationNews, error) {
	heard, err := heardVersions(ctx, q, batch)
	return slices.DeleteFunc(batch, func(n domain.ReservationNews) bool { return newestOf(heard[n.ReservationID]) >= n.Version }), err
}

// heardVersions are those up to which the histories of reservations are known.
func heardVersions(ctx context.Context, q querier, batch []domain.ReservationNews) (map[string][]int64, error) {
	return versions(q.QueryContext(ctx, "SELECT reservation_id, version FROM heard_reservations WHERE reservation_id IN ("+mysqldb.Marks(len(batch))+")", ids(batch)...))
}

// newestOf is 0 when there is none.
func newestOf(versions []int64) int64 { return slices.Max(append(versions, 0)) }

func ids(batch []domain.ReservationNews) []any {
	out := make([]any, len(batch))
	for i, news := range batch {
		out[i] = news.ReservationID
	}
	return out
}

// versions reads rows of an id and a version.
func versions(rows *sql.Rows, err error) (map[string][]int64, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	of := map[string][]int64{}
	for rows.Next() {
		var id string
		var v int64
		if err := rows.Scan(&id, &v); err != nil {
			return nil, err
		}
		of[id] = append(of[id], v)
	}
	return of, rows.Err()
}

// lockCounters locks in the order of the index, as all do; a new MD has a counter from now on.
func lockCounters(ctx context.Context, tx *sql.Tx, batch []domain.ReservationNews) (map[domain.MDID]int64, error) {
	var mds, fresh []any
	for _, news := range slices.SortedFunc(slices.Values(batch), func(a, b domain.ReservationNews) int { return cmp.Compare(a.MD, b.MD) }) {
		if n := len(mds); n == 0 || mds[n-1] != any(news.MD) {
			mds, fresh = append(mds, news.MD), append(fresh, news.MD, 0)
		}
	}
	// Inserting meets, and so locks, the row of whoever has one.
	_, err := tx.ExecContext(ctx, "INSERT INTO inboxes (md_id, last_seq) VALUES "+mysqldb.Rows(len(mds), 2)+" ON DUPLICATE KEY UPDATE inboxes.last_seq = inboxes.last_seq", fresh...)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT md_id, last_seq FROM inboxes WHERE md_id IN ("+mysqldb.Marks(len(mds))+") ORDER BY md_id FOR UPDATE", mds...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	last := map[domain.MDID]int64{}
	for rows.Next() {
		var md domain.MDID
		var n int64
		if err := rows.Scan(&md, &n); err != nil {
			return nil, err
		}
		last[md] = n
	}
	return last, rows.Err()
}

func noticedVersions(ctx context.Context, tx *sql.Tx, batch []domain.ReservationNews) (map[string][]int64, error) {
	return versions(tx.QueryContext(ctx, "SELECT reservation_id, version FROM notices WHERE reservation_id IN ("+mysqldb.Marks(len(batch))+")", ids(batch)...))
}

// addNotices numbers the notices of each MD behind its last one.
func (r *Inbox) addNotices(ctx context.Context, tx *sql.Tx, last map[domain.MDID]int64, missing map[domain.MDID][]domain.Notice) error {
	if len(missing) == 0 {
		return nil
	}
	var notices, counters []any
	for md, of := range missing {
		seq := last[md]
		for _, n := range of {
			seq++
			notices = append(notices, md, seq, n.ReservationID, n.Version, n.ProductID, n.Status, n.Kind, n.Cause, n.At)
		}
		counters = append(counters, md, seq)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO notices (md_id, seq, reservation_id, version, product_id, status, kind, cause, at)
		VALUES `+mysqldb.Rows(len(notices)/9, 9), notices...)
	if err != nil {
		return fmt.Errorf("add notices: %w", err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO inboxes (md_id, last_seq) VALUES "+
		mysqldb.Rows(len(counters)/2, 2)+" ON DUPLICATE KEY UPDATE last_seq = VALUES(last_seq)", counters...)
	if err != nil {
		return fmt.Errorf("raise counters: %w", err)
	}
	if !r.handOver {
		return nil
	}
	for md := range missing {
		if err := owe(ctx, tx, md, last[md]); err != nil {
			return err
		}
	}
	return nil
}

// owe adds the notices behind a number, which this transaction has made, to those that are to be handed over.
func owe(ctx context.Context, tx *sql.Tx, md domain.MDID, after int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO notice_handovers (md_id, seq, attempts, due_at)
		SELECT md_id, seq, 0, NOW(6) FROM notices WHERE md_id = ? AND seq > ?`, md, after)
	if err != nil {
		return fmt.Errorf("owe notices: %w", err)
	}
	return nil
}

// executor is a pool or a transaction.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// remember keeps what closures are reported by; an older event changes nothing. The version is assigned last:
// MySQL assigns from left to right, and the conditions must see the stored one.
func remember(ctx context.Context, to executor, batch []domain.ReservationNews) error {
	var args []any
	for _, news := range batch {
		finished, final := news.FinishedAt()
		args = append(args, news.ReservationID, news.DepartureID, news.Version, sql.NullTime{Time: finished, Valid: final}, news.Stuck)
	}
	_, err := to.ExecContext(ctx, `INSERT INTO heard_reservations (reservation_id, departure_id, version, finished_at, stuck)
			VALUES `+mysqldb.Rows(len(batch), 5)+`
		ON DUPLICATE KEY UPDATE
			finished_at = IF(VALUES(version) > version, VALUES(finished_at), finished_at),
			stuck = IF(VALUES(version) > version, VALUES(stuck), stuck),
			version = GREATEST(version, VALUES(version))`, args...)
	if err != nil {
		return fmt.Errorf("remember reservations: %w", err)
	}
	return nil
}
