package main

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// The states of a payment that the simulator uses. READY and EXPIRED come before the approval and never get
// as far as here.
const (
	stateInProgress      = "IN_PROGRESS"
	stateDone            = "DONE"
	statePartialCanceled = "PARTIAL_CANCELED"
	stateCanceled        = "CANCELED"
	stateAborted         = "ABORTED"
)

// payment is Toss Payments' Payment object, version 2022-11-16: amounts in whole won, instants in Korean
// time. It is never changed, only replaced, so that it may be read without a lock.
type payment struct {
	MID                 string   `json:"mId"`
	Version             string   `json:"version"`
	PaymentKey          string   `json:"paymentKey"`
	LastTransactionKey  *string  `json:"lastTransactionKey"`
	OrderID             string   `json:"orderId"`
	OrderName           string   `json:"orderName"`
	Type                string   `json:"type"`
	Method              string   `json:"method"`
	Currency            string   `json:"currency"`
	Country             string   `json:"country"`
	Status              string   `json:"status"`
	RequestedAt         string   `json:"requestedAt"`
	ApprovedAt          *string  `json:"approvedAt"`
	TotalAmount         int64    `json:"totalAmount"`
	BalanceAmount       int64    `json:"balanceAmount"`
	SuppliedAmount      int64    `json:"suppliedAmount"`
	VAT                 int64    `json:"vat"`
	TaxFreeAmount       int64    `json:"taxFreeAmount"`
	TaxExemptionAmount  int64    `json:"taxExemptionAmount"`
	IsPartialCancelable bool     `json:"isPartialCancelable"`
	UseEscrow           bool     `json:"useEscrow"`
	CultureExpense      bool     `json:"cultureExpense"`
	Card                *card    `json:"card"`
	Cancels             []cancel `json:"cancels"` // null until there is one
	Failure             *refusal `json:"failure"`
}

type card struct {
	IssuerCode            string `json:"issuerCode"`
	AcquirerCode          string `json:"acquirerCode"`
	Number                string `json:"number"`
	InstallmentPlanMonths int    `json:"installmentPlanMonths"`
	ApproveNo             string `json:"approveNo"`
	CardType              string `json:"cardType"`
	OwnerType             string `json:"ownerType"`
	AcquireStatus         string `json:"acquireStatus"`
	Amount                int64  `json:"amount"`
}

// cancel is one refund of a payment.
type cancel struct {
	TransactionKey        string  `json:"transactionKey"`
	CancelReason          string  `json:"cancelReason"`
	CanceledAt            string  `json:"canceledAt"`
	CancelAmount          int64   `json:"cancelAmount"`
	RefundableAmount      int64   `json:"refundableAmount"` // what can still be refunded after it
	TaxFreeAmount         int64   `json:"taxFreeAmount"`
	TaxExemptionAmount    int64   `json:"taxExemptionAmount"`
	EasyPayDiscountAmount int64   `json:"easyPayDiscountAmount"`
	CancelStatus          string  `json:"cancelStatus"`
	CancelRequestID       *string `json:"cancelRequestId"`
	ReceiptKey            *string `json:"receiptKey"`
}

// begin makes a payment that is being approved, with a fresh key.
func begin(orderID string, amount int64, by token, at time.Time) *payment {
	p := &payment{
		MID: "oneqtour", Version: "2022-11-16", PaymentKey: "sim_" + randomKey(), OrderID: orderID, OrderName: "여행상품",
		Type: "NORMAL", Method: "카드", Currency: "KRW", Country: "KR", Status: stateInProgress, RequestedAt: koreanTime(at),
		TotalAmount: amount, IsPartialCancelable: by != tokNoPartial,
		Card: &card{
			IssuerCode: "33", AcquirerCode: "31", Number: "12341234****123*", ApproveNo: "00000000", CardType: "신용",
			OwnerType: "개인", AcquireStatus: "READY", Amount: amount,
		},
	}
	p.setBalance(amount)
	return p
}

// approved is the payment after the charge.
func (p payment) approved(at time.Time) *payment {
	when, transaction := koreanTime(at), randomKey()
	p.Status, p.ApprovedAt, p.LastTransactionKey = stateDone, &when, &transaction
	return &p
}

// aborted is the payment after a decline.
func (p payment) aborted(why *refusal) *payment {
	p.Status, p.Failure = stateAborted, why
	return &p
}

// canceled is the payment after a refund of the amount.
func (p payment) canceled(amount int64, reason string, at time.Time) *payment {
	transaction := randomKey()
	p.setBalance(p.BalanceAmount - amount)
	p.LastTransactionKey = &transaction
	p.Cancels = append(slices.Clone(p.Cancels), cancel{
		TransactionKey: transaction, CancelReason: reason, CanceledAt: koreanTime(at), CancelAmount: amount,
		RefundableAmount: p.BalanceAmount, CancelStatus: "DONE",
	})
	p.Status = statePartialCanceled
	if p.BalanceAmount == 0 {
		p.Status = stateCanceled
	}
	return &p
}

// setBalance splits the balance into the price before tax and the 10 % tax in it.
func (p *payment) setBalance(balance int64) {
	p.BalanceAmount = balance
	p.SuppliedAmount = balance * 10 / 11
	p.VAT = balance - p.SuppliedAmount
}

var korea = time.FixedZone("KST", 9*60*60)

func koreanTime(at time.Time) string { return at.In(korea).Format(time.RFC3339) }

func randomKey() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return strings.ToUpper(hex.EncodeToString(b[:]))
}
