package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/usecase"
)

// Inbox implements usecase.Inbox.
type Inbox struct {
	db       *sql.DB
	handOver bool
}

// NewInbox makes a repository.
func NewInbox(db *sql.DB) *Inbox { return &Inbox{db: db} }

// HandingOver is the same inbox that also owes each notice, from now on, to the receiver outside.
func (r *Inbox) HandingOver() *Inbox { return &Inbox{r.db, true} }

// Hear adds the notices that are missing. The MD's counter row is locked first, so that two events of one MD
// never take the same number, and a number is used only by a notice that was committed.
func (r *Inbox) Hear(ctx context.Context, news domain.ReservationNews) error {
	// Most repeats end here, without the lock that all news of an MD share.
	if heard, err := heard(ctx, r.db, news.ReservationID); err != nil || heard >= news.Version {
		return err
	}
	return mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		last, err := lockCounter(ctx, tx, news.MD)
		if err != nil {
			return fmt.Errorf("counter of the inbox: %w", err)
		}
		heard, err := heard(ctx, tx, news.ReservationID)
		if err != nil {
			return fmt.Errorf("heard before: %w", err)
		}
		known, err := noticedVersions(ctx, tx, news.ReservationID)
		if err != nil {
			return fmt.Errorf("read notices: %w", err)
		}
		missing := news.MissingNotices(heard, known)
		if err := addNotices(ctx, tx, news.MD, last, missing); err != nil {
			return err
		}
		if r.handOver && len(missing) > 0 {
			if err := owe(ctx, tx, news.MD, last); err != nil {
				return err
			}
		}
		return remember(ctx, tx, news)
	})
}

// heard is the version up to which the history of the reservation is known; 0 for an unknown one.
func heard(ctx context.Context, q rowQuerier, reservation string) (version int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT version FROM heard_reservations WHERE reservation_id = ?", reservation).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, err
}

// rowQuerier is a pool or a transaction.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func lockCounter(ctx context.Context, tx *sql.Tx, md domain.MDID) (last int64, err error) {
	_, err = tx.ExecContext(ctx, "INSERT INTO inboxes (md_id, last_seq) VALUES (?, 0) ON DUPLICATE KEY UPDATE last_seq = last_seq", md)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, "SELECT last_seq FROM inboxes WHERE md_id = ? FOR UPDATE", md).Scan(&last)
	return last, err
}

func noticedVersions(ctx context.Context, tx *sql.Tx, reservation string) (versions []int64, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT version FROM notices WHERE reservation_id = ?", reservation)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var v int64
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	return versions, rows.Err()
}

func addNotices(ctx context.Context, tx *sql.Tx, md domain.MDID, last int64, notices []domain.Notice) error {
	if len(notices) == 0 {
		return nil
	}
	args := make([]any, 0, 9*len(notices))
	for _, n := range notices {
		last++
		args = append(args, md, last, n.ReservationID, n.Version, n.ProductID, n.Status, n.Kind, n.Cause, n.At)
	}
	rows := strings.TrimSuffix(strings.Repeat("(?,?,?,?,?,?,?,?,?),", len(notices)), ",")
	_, err := tx.ExecContext(ctx, `INSERT INTO notices (md_id, seq, reservation_id, version, product_id, status, kind, cause, at)
		VALUES `+rows, args...)
	if err != nil {
		return fmt.Errorf("add notices: %w", err)
	}
	if _, err := tx.ExecContext(ctx, "UPDATE inboxes SET last_seq = ? WHERE md_id = ?", last, md); err != nil {
		return fmt.Errorf("raise counter: %w", err)
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

// remember keeps what closures are reported by; an older event changes nothing. The version is assigned last:
// MySQL assigns from left to right, and the conditions must see the stored one.
func remember(ctx context.Context, tx *sql.Tx, news domain.ReservationNews) error {
	finished, final := news.FinishedAt()
	_, err := tx.ExecContext(ctx, `INSERT INTO heard_reservations (reservation_id, departure_id, version, finished_at, stuck)
			VALUES (?, ?, ?, ?, ?)
		ON DUPLICATE KEY UPDATE
			finished_at = IF(VALUES(version) > version, VALUES(finished_at), finished_at),
			stuck = IF(VALUES(version) > version, VALUES(stuck), stuck),
			version = GREATEST(version, VALUES(version))`,
		news.ReservationID, news.DepartureID, news.Version, sql.NullTime{Time: finished, Valid: final}, news.Stuck)
	if err != nil {
		return fmt.Errorf("remember reservation: %w", err)
	}
	return nil
}

// Notices reads by number, which never changes: a page ends where it has ended, whatever is acknowledged meanwhile.
func (r *Inbox) Notices(ctx context.Context, md domain.MDID, page usecase.NoticePage) ([]domain.Notice, error) {
	query, args := noticesQuery(md, page)
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var notices []domain.Notice
	for rows.Next() {
		var n domain.Notice
		if err := rows.Scan(&n.Seq, &n.ReservationID, &n.ProductID, &n.Version, &n.Status, &n.Kind, &n.Cause, &n.At, &n.Acknowledged); err != nil {
			return nil, fmt.Errorf("read notices: %w", err)
		}
		notices = append(notices, n)
	}
	return notices, rows.Err()
}

// noticesQuery reads in the order of an index, of the primary key or of by_acknowledgement.
func noticesQuery(md domain.MDID, page usecase.NoticePage) (query string, args []any) {
	where, args := "md_id = ? AND seq > ?", []any{md, page.After}
	if page.Acknowledged != nil {
		where, args = where+" AND acknowledged = ?", append(args, *page.Acknowledged)
	}
	return `SELECT seq, reservation_id, product_id, version, status, kind, cause, at, acknowledged
		FROM notices WHERE ` + where + " ORDER BY seq LIMIT ?", append(args, page.Limit)
}

// Acknowledge keeps the time of the first acknowledgement. fault.NotFound.
func (r *Inbox) Acknowledge(ctx context.Context, md domain.MDID, seq int64, at time.Time) error {
	var known bool
	err := r.db.QueryRowContext(ctx, "SELECT acknowledged_at IS NOT NULL FROM notices WHERE md_id = ? AND seq = ?", md, seq).Scan(&known)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fault.New(fault.NotFound)
	case err != nil:
		return fmt.Errorf("read notice: %w", err)
	case known:
		return nil
	}
	_, err = r.db.ExecContext(ctx, "UPDATE notices SET acknowledged_at = ? WHERE md_id = ? AND seq = ? AND acknowledged_at IS NULL", at, md, seq)
	if err != nil {
		return fmt.Errorf("acknowledge notice: %w", err)
	}
	return nil
}

// Progress counts in the index alone.
func (r *Inbox) Progress(ctx context.Context, id domain.DepartureID, closedAt time.Time) (p domain.ClosureProgress, err error) {
	err = r.db.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(finished_at IS NOT NULL), 0),
			COALESCE(SUM(finished_at IS NULL AND stuck), 0)
		FROM heard_reservations WHERE departure_id = ? AND (finished_at IS NULL OR finished_at >= ?)`, id, closedAt).
		Scan(&p.Total, &p.Done, &p.Failed)
	if err != nil {
		return p, fmt.Errorf("progress of a closure: %w", err)
	}
	return p, nil
}

// OldNotices were acknowledged long ago and are owed to nobody outside. What was heard of their reservations stays,
// so that a late event does not bring them back.
func OldNotices(keep time.Duration) mysqldb.Waste {
	return mysqldb.Waste{Name: "notices", Remove: func(ctx context.Context, tx *sql.Tx, limit int) (int, error) {
		old, err := mysqldb.Found(ctx, tx, `SELECT n.md_id, n.seq FROM notices n
			LEFT JOIN notice_handovers h ON h.md_id = n.md_id AND h.seq = n.seq
			WHERE n.acknowledged_at < NOW(6) - INTERVAL ? SECOND AND h.seq IS NULL
			ORDER BY n.acknowledged_at LIMIT ?`, int(keep.Seconds()), limit)
		if err != nil {
			return 0, err
		}
		return len(old), mysqldb.DeleteByKey(ctx, tx, "notices", []string{"md_id", "seq"}, old)
	}}
}
