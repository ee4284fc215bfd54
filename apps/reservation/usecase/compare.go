package usecase

import (
	"strings"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/reservation/domain"
)

// Difference is where two books do not say the same.
type Difference struct {
	Kind       string    `json:"kind"`
	LeftRef    string    `json:"leftRef"`    // in reservation: a reservation, payment or refund id
	RightRef   string    `json:"rightRef"`   // at the provider: an order id
	AmountDiff money.KRW `json:"amountDiff"` // won, left − right
}

// Kinds of differences.
const (
	ConfirmedWithoutCharge   = "CONFIRMED_WITHOUT_CHARGE"
	ChargeWithoutReservation = "CHARGE_WITHOUT_RESERVATION"
	AmountDiffers            = "AMOUNT_DIFFERS"
	RefundMissing            = "REFUND_MISSING"
	RefundDiffers            = "REFUND_DIFFERS"
	UnknownToProvider        = "PAYMENT_UNKNOWN_TO_PROVIDER"
	CompensationDiffers      = "COMPENSATION_DIFFERS"
)

// Checked counts what was compared. What is younger than a payment may be unknown is in flight: no difference yet.
type Checked struct {
	Reservations  int `json:"reservations"`
	Payments      int `json:"payments"`
	Refunds       int `json:"refunds"`
	Charges       int `json:"charges"` // that the provider knows
	Compensations int `json:"compensations"`
	InFlight      int `json:"inFlight"`
}

// comparison puts side by side what reservation, payment and the provider say.
type comparison struct {
	settled time.Time // what has not changed since then is no longer in flight
	checked Checked
	found   []Difference
}

func (c *comparison) differ(kind, left, right string, amount money.KRW) {
	c.found = append(c.found, Difference{kind, left, right, amount})
}

// item compares one order id; r is its reservation, nil when there is none.
func (c *comparison) item(i contract.ReconciledItem, r *domain.Reservation) {
	if i.PaymentID != "" {
		c.checked.Payments++
	}
	charged := charged(i.Provider)
	if charged {
		c.checked.Charges++
	}
	c.checked.Refunds += len(i.Refunds)
	if c.moving(i, r) {
		c.checked.InFlight++
		return
	}
	paid := paymentOf(r, i.PaymentID)
	switch {
	case !charged && (i.Charged > 0 || i.Status == contract.PaymentIsApproved || paid != nil):
		c.differ(UnknownToProvider, i.PaymentID, i.OrderID, i.Amount)
	case !charged:
		// and nobody says otherwise
	case paid == nil:
		if kept := i.Provider.Balance - transferred(i); kept > 0 {
			c.differ(ChargeWithoutReservation, i.ReservationID, i.OrderID, -kept)
		}
	case i.Status != contract.PaymentIsApproved:
		c.differ(ConfirmedWithoutCharge, string(r.Snapshot().ID), i.OrderID, paid.Amount)
	default:
		if paid.Amount != i.Provider.Total {
			c.differ(AmountDiffers, i.PaymentID, i.OrderID, paid.Amount-i.Provider.Total)
		}
		c.refunds(i, r)
	}
}

// charged says whether the provider took money, also if it was given back since.
func charged(p *contract.ProviderPayment) bool {
	return p != nil && (p.State == "DONE" || p.State == "PARTIAL_CANCELED" || p.State == "CANCELED")
}

// transferred is what went back by bank transfer, of which the provider knows nothing.
func transferred(i contract.ReconciledItem) (sum money.KRW) {
	for _, refund := range i.Refunds {
		if refund.Reference != "" {
			sum += refund.Amount
		}
	}
	return sum
}

// moving says whether an order may still change by itself.
func (c *comparison) moving(i contract.ReconciledItem, r *domain.Reservation) bool {
	if i.RequestedAt != nil && i.RequestedAt.After(c.settled) {
		return true
	}
	return r != nil && (r.Status() == domain.Pending || r.Snapshot().ChangedAt().After(c.settled))
}

func paymentOf(r *domain.Reservation, paymentID string) *domain.Payment {
	if r == nil || paymentID == "" {
		return nil
	}
	for _, p := range r.Snapshot().Payments {
		if p.ID == paymentID {
			return &p
		}
	}
	return nil
}

// refunds compares what a reservation gives back of a payment with what the provider gave back. Ours carry the id
// of the refund in their reason.
func (c *comparison) refunds(i contract.ReconciledItem, r *domain.Reservation) {
	transfers := map[string]bool{} // by bank: the provider knows nothing of them
	for _, refund := range i.Refunds {
		transfers[refund.RefundID] = refund.Reference != ""
	}
	known := map[int]bool{}
	cancelOf := func(refundID string) *contract.ProviderCancel {
		for n := range i.Provider.Cancels {
			if strings.Contains(i.Provider.Cancels[n].Reason, refundID) {
				known[n] = true
				return &i.Provider.Cancels[n]
			}
		}
		return nil
	}
	var parts []domain.RefundPart
	if x := r.Snapshot().Cancellation; x != nil {
		parts = x.Parts
	}
	for _, part := range parts {
		if part.PaymentID != i.PaymentID {
			continue
		}
		cancel := cancelOf(part.RefundID)
		switch {
		case cancel == nil && transfers[part.RefundID] && part.Status == domain.PartDone:
		case cancel == nil:
			c.differ(RefundMissing, part.RefundID, i.OrderID, part.Amount)
		case cancel.Amount != part.Amount || part.Status != domain.PartDone:
			c.differ(RefundDiffers, part.RefundID, i.OrderID, part.Amount-cancel.Amount)
		}
	}
	for n, cancel := range i.Provider.Cancels {
		if !known[n] { // given back by nobody's order
			c.differ(RefundDiffers, string(r.Snapshot().ID), i.OrderID, -cancel.Amount)
		}
	}
}

// unpaid notes a reservation that holds a payment of which payment knows nothing, or something else.
func (c *comparison) unpaid(r *domain.Reservation, p domain.Payment, said contract.PaymentResult) {
	c.checked.Payments++
	if said.Status != contract.PaymentIsApproved || said.Amount != p.Amount {
		c.differ(ConfirmedWithoutCharge, string(r.Snapshot().ID), p.ID, p.Amount)
	}
}

// compensation compares a debt with its reservation, nil when there is none.
func (c *comparison) compensation(row Compensation, r *domain.Reservation) {
	c.checked.Compensations++
	if r == nil || r.Snapshot().Cancellation == nil || r.Snapshot().Cancellation.Compensation == nil {
		c.differ(CompensationDiffers, string(row.ReservationID), "", -row.Amount)
		return
	}
	if said := r.Snapshot().Cancellation.Compensation; said.Amount != row.Amount || said.Status != row.Status {
		c.differ(CompensationDiffers, string(row.ReservationID), row.Reference, said.Amount-row.Amount)
	}
}
