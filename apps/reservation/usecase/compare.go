package usecase

import (
	"slices"
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
	AmountDiff money.KRW `json:"amountDiff"` // won, left − right; 0: no money is missing, but a book says something else
}

// Kinds of differences.
const (
	ConfirmedWithoutCharge   = "CONFIRMED_WITHOUT_CHARGE"
	ChargeWithoutReservation = "CHARGE_WITHOUT_RESERVATION"
	AmountDiffers            = "AMOUNT_DIFFERS"
	RefundMissing            = "REFUND_MISSING"
	RefundDiffers            = "REFUND_DIFFERS"
	UnknownToProvider        = "PAYMENT_UNKNOWN_TO_PROVIDER"
	RefundedTwice            = "REFUNDED_TWICE"
	ChargedAfterAll          = "CHARGED_AFTER_ALL"
	StuckPending             = "STUCK_PENDING"
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
	settled  time.Time // what has not changed since then is no longer in flight
	checked  Checked
	found    []Difference
	seen     map[domain.ReservationID]bool
	compared map[string]bool       // order ids
	open     []string              // order ids that are still to be asked for
	flying   map[string]bool       // reservations, or orders of none
	debtors  []*domain.Reservation // that say that a compensation is owed or paid
}

func newComparison(settled time.Time) *comparison {
	return &comparison{settled: settled, found: []Difference{}, seen: map[domain.ReservationID]bool{}, compared: map[string]bool{}, flying: map[string]bool{}}
}

func (c *comparison) differ(kind, left, right string, amount money.KRW) {
	c.found = append(c.found, Difference{kind, left, right, amount})
}

// want names orders that are to be asked for.
func (c *comparison) want(orders ...string) { c.open = append(c.open, orders...) }

// wanted are at most so many orders that are to be asked for and were not compared yet.
func (c *comparison) wanted(most int) []string {
	slices.Sort(c.open)
	c.open = slices.DeleteFunc(slices.Compact(c.open), func(order string) bool { return c.compared[order] })
	return c.open[:min(most, len(c.open))]
}

func (c *comparison) result() Checked {
	c.checked.Reservations, c.checked.InFlight = len(c.seen), len(c.flying)
	return c.checked
}

// reservation looks at one by itself, once, and wants its orders.
func (c *comparison) reservation(r *domain.Reservation) {
	snap := r.Snapshot()
	if c.seen[snap.ID] {
		return
	}
	c.seen[snap.ID] = true
	paid := money.KRW(0)
	purpose := contract.PurposePrice
	if snap.Plan == domain.PlanSavingsFunded {
		purpose = contract.PurposeDeposit
	}
	orders := []string{contract.OrderID(string(snap.ID), purpose)} // also of one that nothing was paid for
	for _, p := range snap.Payments {
		if p.Purpose == purpose {
			paid += p.Amount
		} else if p.Method != contract.MethodSavings { // of which payment knows nothing
			orders = append(orders, contract.OrderID(string(snap.ID), p.Purpose))
		}
	}
	c.want(orders...)
	if c.movingReservation(r) {
		c.flying[string(snap.ID)] = true
		return
	}
	if snap.Status != domain.Pending && snap.Status != domain.Rejected && paid != snap.DueNow {
		c.differ(ConfirmedWithoutCharge, string(snap.ID), orders[0], snap.DueNow-paid)
	}
	if missing := unpromised(snap); missing != 0 {
		c.differ(RefundDiffers, string(snap.ID), orders[0], missing)
	}
	if snap.Cancellation != nil && snap.Cancellation.Compensation != nil {
		c.debtors = append(c.debtors, r)
	}
}

// unpromised is what of the payments of a cancelled reservation is neither kept as its fee nor a part of its refund.
func unpromised(s domain.Snapshot) (left money.KRW) {
	if s.Cancellation == nil {
		return 0
	}
	left = -s.Cancellation.Fee
	for _, p := range s.Payments {
		left += p.Amount
		for _, part := range s.Cancellation.Parts {
			if part.PaymentID == p.ID {
				left -= part.Amount
			}
		}
	}
	return left
}

// item compares one order id; r is its reservation, nil when there is none.
func (c *comparison) item(i contract.ReconciledItem, r *domain.Reservation) {
	if c.compared[i.OrderID] {
		return
	}
	c.compared[i.OrderID] = true
	if i.PaymentID != "" {
		c.checked.Payments++
	}
	charged := charged(i.Provider)
	if charged {
		c.checked.Charges++
	}
	c.checked.Refunds += len(i.Refunds)
	if c.moving(i, r) {
		if c.flying[i.OrderID] = true; r != nil {
			delete(c.flying, i.OrderID)
			c.flying[i.ReservationID] = true
		}
		return
	}
	paid := paymentOf(r, i)
	switch {
	case i.PaymentID == "" && paid != nil, charged && paid != nil && (i.Status != contract.PaymentIsApproved || paid.ID != i.PaymentID):
		c.differ(ConfirmedWithoutCharge, i.ReservationID, i.OrderID, paid.Amount)
	case !charged && (i.Charged > 0 || i.Status == contract.PaymentIsApproved || paid != nil):
		c.differ(UnknownToProvider, i.PaymentID, i.OrderID, i.Amount)
	case !charged:
		// and nobody says otherwise
	case paid == nil:
		c.unowned(i, r)
	default:
		c.amounts(i, paid.Amount)
		c.refunds(i, r)
	}
}

// amounts compares what was to be charged, what payment believes was, and what reservation was paid, with the
// provider's word: the first that says otherwise.
func (c *comparison) amounts(i contract.ReconciledItem, paid money.KRW) {
	for _, ours := range []money.KRW{paid, i.Charged, i.Amount} {
		if ours != i.Provider.Total {
			c.differ(AmountDiffers, i.PaymentID, i.OrderID, ours-i.Provider.Total)
			return
		}
	}
}

// charged says whether the provider took money, also if it was given back since.
func charged(p *contract.ProviderPayment) bool {
	return p != nil && (p.State == "DONE" || p.State == "PARTIAL_CANCELED" || p.State == "CANCELED")
}

// moving says whether an order may still change by itself, or events of it may be under way.
func (c *comparison) moving(i contract.ReconciledItem, r *domain.Reservation) bool {
	if i.RequestedAt != nil && i.RequestedAt.After(c.settled) {
		return true
	}
	for _, refund := range i.Refunds {
		if refund.MovedAt != nil && refund.MovedAt.After(c.settled) {
			return true
		}
	}
	return r != nil && c.movingReservation(r)
}

// movingReservation: a PENDING one is decided within the hold limit, so it too is in flight only while it is young.
func (c *comparison) movingReservation(r *domain.Reservation) bool {
	return r.Snapshot().ChangedAt().After(c.settled)
}

// paymentOf is the payment of the reservation that the order is of.
func paymentOf(r *domain.Reservation, i contract.ReconciledItem) *domain.Payment {
	if r == nil {
		return nil
	}
	for _, p := range r.Snapshot().Payments {
		if p.Purpose == i.Purpose && p.Method != contract.MethodSavings {
			return &p
		}
	}
	return nil
}

// compensation compares a debt with its reservation, nil when there is none.
func (c *comparison) compensation(row Compensation, r *domain.Reservation) {
	c.checked.Compensations++
	if r != nil && c.movingReservation(r) {
		c.flying[string(row.ReservationID)] = true
		return
	}
	if r == nil || r.Snapshot().Cancellation == nil || r.Snapshot().Cancellation.Compensation == nil {
		c.differ(CompensationDiffers, string(row.ReservationID), "", -row.Amount)
		return
	}
	if said := r.Snapshot().Cancellation.Compensation; said.Amount != row.Amount || said.Status != row.Status {
		c.differ(CompensationDiffers, string(row.ReservationID), row.Reference, said.Amount-row.Amount)
	}
}
