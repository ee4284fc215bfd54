package domain

// A void order says that payment must leave nothing charged for a REJECTED reservation, whatever it finds. It
// is part of the reservation and stands until payment's word that nothing is charged: said once, an event
// could be lost, and a customer would be charged for a reservation that there is not.

// VoidStatus is how far a void order has come; empty when there is none.
type VoidStatus string

// States of a void order.
const (
	VoidOrdered VoidStatus = "ORDERED"
	VoidObeyed  VoidStatus = "OBEYED" // payment said that nothing is charged
)

// VoidOrder says whether payment must leave nothing charged for this reservation.
func (r *Reservation) VoidOrder() bool { return r.s.VoidOrder != "" }

// VoidOpen says whether payment's word on a void order is still awaited.
func (r *Reservation) VoidOpen() bool { return r.s.VoidOrder == VoidOrdered }

// NothingCharged notes payment's word that nothing is charged; it says whether that was awaited.
func (r *Reservation) NothingCharged() bool {
	if !r.VoidOpen() {
		return false
	}
	r.s.VoidOrder = VoidObeyed
	return true
}

// ApprovedTooLate notes an approval that nobody waits for any more. It says whether that must be told to
// payment: a REJECTED reservation keeps no charge, and a cancelled one none that it does not know.
func (r *Reservation) ApprovedTooLate(paymentID string) bool {
	switch r.s.Status {
	case Rejected:
		r.s.VoidOrder = VoidOrdered
		return true
	case CancelRequested, Cancelled:
		for _, p := range r.s.Payments {
			if p.ID == paymentID {
				return false
			}
		}
		return true
	}
	return false
}
