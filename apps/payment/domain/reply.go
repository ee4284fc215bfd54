package domain

import "oneqtour/apps/internal/money"

// ReplyKind is what came of a call to the provider.
type ReplyKind int

// The kinds. Lost is what is not known to be something else: a timeout, a broken connection, 5xx, a running
// twin, an answer that cannot be read.
const (
	Lost     ReplyKind = iota
	Answered           // the provider described the payment: Charge
	Refused            // the provider said no: Code
	NotFound           // the provider knows no payment of that id
	NotSent            // no connection came about, so nothing was said at all
)

// Reply is what came of a call to the provider.
type Reply struct {
	Kind   ReplyKind
	Charge Charge
	Code   string
	Cause  error // for the log; free of tokens
}

// Charge is a payment as the provider describes it.
type Charge struct {
	State   string // in the provider's words: DONE, CANCELED, …
	OrderID string
	Key     string    // the provider's id of the payment
	Total   money.KRW // what was charged
	Balance money.KRW // what of it was not returned
	Cancels []Return
	Failure string // code of what went wrong, when ABORTED
}

// Return is money that went back, as the provider describes it.
type Return struct {
	Reason string
	Amount money.KRW
}

// Transaction is one movement of money in the provider's list: a charge, or a return of it.
type Transaction struct {
	Key     string
	OrderID string
	State   string    // of the payment after it, in the provider's words
	Amount  money.KRW // that moved
}

// Explains gives the charge that a single transaction describes, if that is all that the stored payment expects:
// approved, and nothing back. What was returned on another day is a transaction of that day.
func (t Transaction) Explains(s Snapshot) (Charge, bool) {
	all := t.State == "DONE" && s.Status == Approved && len(s.Refunds) == 0 && t.Amount == s.Amount && t.Amount == s.Charged
	return Charge{State: t.State, OrderID: t.OrderID, Total: t.Amount, Balance: t.Amount}, all
}

// stands says that money is taken.
func (c Charge) stands() bool { return c.State == "DONE" || c.State == "PARTIAL_CANCELED" }

// over says that no money is taken, and none will be.
func (c Charge) over() bool {
	return c.State == "ABORTED" || c.State == "EXPIRED" || c.State == "CANCELED"
}
