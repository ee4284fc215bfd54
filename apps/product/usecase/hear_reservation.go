package usecase

import (
	"context"
	"fmt"
	"slices"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/product/domain"
)

// HearReservation puts into the MD's inbox what it misses of a reservation. Repeats, disorder and losses are
// normal: each event brings the whole history. fault.Malformed when the event cannot be understood.
func (s *Service) HearReservation(ctx context.Context, e contract.Event) error {
	if !contract.IsReservation(e.Type) {
		return nil
	}
	r, err := contract.Decode[contract.Reservation](e)
	if err != nil {
		return err
	}
	if err := understood(r); err != nil {
		return fault.New(fault.Malformed).Because(fmt.Errorf("%s %s: %w", e.Type, e.ID, err))
	}
	return s.inbox.Hear(ctx, newsOf(r))
}

// understood keeps what no column could hold away from the database.
func understood(r contract.Reservation) error {
	for name, id := range map[string]string{"reservationId": r.ReservationID, "productId": r.ProductID, "departureId": r.DepartureID} {
		if len(id) != 36 {
			return fmt.Errorf("%s is no id", name)
		}
	}
	if r.MDID == "" || len(r.MDID) > 100 || r.Version < 1 || !isStatus(r.Status) || len(r.History) == 0 {
		return fmt.Errorf("mdId, version, status or history is missing or out of range")
	}
	if slices.ContainsFunc(r.History, func(h contract.HistoryEntry) bool {
		return !isStatus(h.To) || h.Version < 1 || h.At.IsZero() || len(h.Kind) > 64 || len(h.Cause) > 200
	}) {
		return fmt.Errorf("a row of the history has no state, version or time, or is too long")
	}
	return nil
}

func isStatus(s string) bool { return s != "" && len(s) <= 32 }

func newsOf(r contract.Reservation) domain.ReservationNews {
	news := domain.ReservationNews{ReservationID: r.ReservationID, MD: domain.MDID(r.MDID),
		ProductID: domain.ProductID(r.ProductID), DepartureID: domain.DepartureID(r.DepartureID),
		Version: r.Version, Status: r.Status}
	for _, h := range r.History {
		news.History = append(news.History, domain.HistoryRow{Version: h.Version, Kind: h.Kind, Cause: h.Cause,
			From: h.From, To: h.To, At: h.At.UTC()})
	}
	if r.Cancellation != nil {
		news.Stuck = slices.ContainsFunc(r.Cancellation.Parts, func(p contract.RefundPart) bool { return p.Status == contract.RefundStuck })
	}
	return news
}
