package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"oneqtour/apps/internal/batching"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/usecase"
)

// most news that one transaction takes in.
const mostNews = 50

// Inbox implements usecase.Inbox.
type Inbox struct {
	db       *sql.DB
	handOver bool
	news     *batching.Batcher[domain.ReservationNews]
}

// NewInbox makes a repository.
func NewInbox(db *sql.DB) *Inbox { return newInbox(db, false) }

// HandingOver is the same inbox that also owes each notice, from now on, to the receiver outside.
func (r *Inbox) HandingOver() *Inbox { return newInbox(r.db, true) }

func newInbox(db *sql.DB, handOver bool) *Inbox {
	r := &Inbox{db: db, handOver: handOver}
	r.news = batching.New(mostNews, r.hear)
	return r
}

// Hear adds the notices that are missing. News that come together are taken in together: the counter of a busy MD is
// a row that all of them need, and each commit waits for the disk.
func (r *Inbox) Hear(ctx context.Context, news domain.ReservationNews) error {
	return r.news.Do(ctx, news)
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
