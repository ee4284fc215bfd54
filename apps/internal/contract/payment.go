package contract

import (
	"time"

	"oneqtour/apps/internal/money"
)

// What a payment is for; there is one payment per (reservation, purpose).
const (
	PurposePrice   = "PRICE"
	PurposeDeposit = "DEPOSIT"
	PurposeBalance = "BALANCE"
)

// How a payment is made.
const (
	MethodCard    = "CARD"
	MethodSavings = "SAVINGS"
)

// Payment states. PaymentNone is said of a payment that payment has never heard of.
const (
	PaymentNone        = "NONE"
	PaymentRequested   = "REQUESTED"
	PaymentIsApproved  = "APPROVED"
	PaymentIsDeclined  = "DECLINED"
	PaymentUnknown     = "UNKNOWN"
	PaymentVoiding     = "VOIDING"
	PaymentIsVoided    = "VOIDED"
	RefundRequested    = "REQUESTED"
	RefundDone         = "DONE"
	RefundStuck        = "STUCK"
	RefundCauseCancel  = "CANCELLATION" // a cancellation of the reservation
	RefundCauseVoid    = "VOID"         // a charge that must not stand
	RefundCauseWaiver  = "WAIVER"       // a waiver that was granted after the cancellation
	CodePaymentNotSent = "NOT_SENT"     // problem code of 503: the provider was certainly not reached
	CodePaymentUnknown = "UNKNOWN"      // problem code of 504: nobody knows yet
)

// Paths of payment's internal routes; they answer reservation alone.
const (
	ApprovePath = "/payments/approve"
	InquirePath = "/payments/inquire"

	PaymentTimelinePath  = "/payments/timeline"
	ReconcilePath        = "/payments/reconcile"
	RefundListPath       = "/refunds/list"
	RefundRetryPath      = "/refunds/retry"
	RefundSettlementPath = "/refunds/settlement"
)

// ApproveRequest asks payment to charge. It is idempotent by (ReservationID, Purpose).
// 200: PaymentResult with APPROVED, DECLINED or VOIDED. 503 NOT_SENT: certainly nothing was charged and this
// attempt is forgotten. 504 UNKNOWN: ask later by InquiryRequest.
type ApproveRequest struct {
	ReservationID string    `json:"reservationId"`
	Purpose       string    `json:"purpose"`
	Amount        money.KRW `json:"amount"`
	Method        string    `json:"method"`
	Token         string    `json:"token"` // one-time; never stored, never logged
	CorrelationID string    `json:"correlationId"`
}

// InquiryRequest asks what became of a payment; answered 200 with any state, NONE included.
type InquiryRequest struct {
	ReservationID string `json:"reservationId"`
	Purpose       string `json:"purpose"`
}

// PaymentResult is the answer to both.
type PaymentResult struct {
	PaymentID     string    `json:"paymentId,omitempty"`
	ReservationID string    `json:"reservationId"`
	Purpose       string    `json:"purpose"`
	Status        string    `json:"status"`
	Amount        money.KRW `json:"amount"`
	DeclineCode   string    `json:"declineCode,omitempty"`
}

// Payment is the data of every payment event.
type Payment struct {
	Meta          Meta      `json:"meta"`
	PaymentID     string    `json:"paymentId"`
	ReservationID string    `json:"reservationId"`
	Purpose       string    `json:"purpose"`
	Method        string    `json:"method"`
	Status        string    `json:"status"`
	Amount        money.KRW `json:"amount"`
	DeclineCode   string    `json:"declineCode,omitempty"`
	Refunds       []Refund  `json:"refunds,omitempty"`
}

// Refund is one refund of a payment.
type Refund struct {
	RefundID  string    `json:"refundId"`
	Cause     string    `json:"cause"`
	Amount    money.KRW `json:"amount"`
	Status    string    `json:"status"`
	SettledBy string    `json:"settledBy,omitempty"` // subject of the operator who has paid it by bank transfer
}

// PaymentTimelineRequest asks what has happened to the payments of a reservation.
type PaymentTimelineRequest struct {
	ReservationID string `json:"reservationId"`
}

// PaymentTimeline is the answer, oldest first.
type PaymentTimeline struct {
	Items []PaymentStep `json:"items"`
}

// PaymentStep is one thing that happened.
type PaymentStep struct {
	At       time.Time `json:"at"`
	Purpose  string    `json:"purpose"`
	Kind     string    `json:"kind"`   // PAYMENT, REFUND, ALARM
	Status   string    `json:"status"` // afterwards, of the payment or the refund; NOT_SENT: an attempt that was forgotten
	Amount   money.KRW `json:"amount,omitempty"`
	RefundID string    `json:"refundId,omitempty"`
	Cause    string    `json:"cause,omitempty"`
	Detail   string    `json:"detail,omitempty"` // a code, a bank reference, the text of an alarm
	Actor    string    `json:"actor,omitempty"`  // the operator who did it
}
