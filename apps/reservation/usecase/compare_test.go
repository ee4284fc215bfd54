package usecase_test

import (
	"fmt"
	"testing"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
)

// returned is a charge of 760,000 won of which so much went back.
func returned(reason string, amount money.KRW) *contract.ProviderPayment {
	p := &contract.ProviderPayment{State: "PARTIAL_CANCELED", Total: 760_000, Balance: 760_000 - amount,
		Cancels: []contract.ProviderCancel{{Reason: reason, Amount: amount}}}
	if p.Balance == 0 {
		p.State = "CANCELED"
	}
	return p
}

// chargedLater is a final payment that was charged after all, and of which so much went back.
func chargedLater(i contract.ReconciledItem, amount money.KRW) contract.ReconciledItem {
	i.Charged, i.ChargedLater, i.Provider = 760_000, true, returned("oneqtour void later", amount)
	i.Refunds = []contract.ReconciledRefund{{RefundID: "later", Cause: contract.RefundCauseVoid, Amount: 760_000, Status: contract.RefundDone}}
	return i
}

// Each way in which the books can differ is found, and nothing else.
func TestReconciliationFindsEveryDifference(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*day)
		want   string
	}{
		"the provider took another amount":              {func(d *day) { d.order(d.confirmed).Provider.Total = 759_999 }, "AMOUNT_DIFFERS 1"},
		"the provider knows nothing":                    {func(d *day) { d.order(d.confirmed).Provider = nil }, "PAYMENT_UNKNOWN_TO_PROVIDER 760000"},
		"the provider knows nothing of what was voided": {func(d *day) { d.order(d.voided).Provider = nil }, "PAYMENT_UNKNOWN_TO_PROVIDER 760000"},
		"the provider knows nothing of an approval":     {func(d *day) { d.order(d.declined).Status = contract.PaymentIsApproved }, "PAYMENT_UNKNOWN_TO_PROVIDER 760000"},
		"neither payment nor the provider knows of it": {func(d *day) {
			item := d.order(d.confirmed)
			item.Status, item.Charged, item.Provider = contract.PaymentUnknown, 0, nil
		}, "PAYMENT_UNKNOWN_TO_PROVIDER 760000"},
		"reservation believes in another amount": {func(d *day) {
			d.exec("UPDATE reservations SET document = JSON_SET(document, '$.dueNow', 759000, '$.payments[0].amount', 759000) WHERE id = ?", d.confirmed)
		}, "AMOUNT_DIFFERS -1000"},
		"payment never approved":          {func(d *day) { d.order(d.confirmed).Status = contract.PaymentUnknown }, "CONFIRMED_WITHOUT_CHARGE 760000"},
		"payment has no order of it":      {func(d *day) { d.books.items = d.books.items[1:] }, "CONFIRMED_WITHOUT_CHARGE 760000"},
		"a refund did not reach the card": {func(d *day) { d.order(d.cancelled).Provider.Cancels = nil }, "REFUND_MISSING 760000"},
		"a refund of another amount":      {func(d *day) { d.order(d.cancelled).Provider.Cancels[0].Amount = 700_000 }, "REFUND_DIFFERS 60000"},
		"somebody gave money back": {func(d *day) {
			d.order(d.confirmed).Provider.Cancels = []contract.ProviderCancel{{Reason: "console", Amount: 10}}
		}, "REFUND_DIFFERS -10"},
		"a transfer that nobody made": {func(d *day) { d.order(d.settled).Refunds[0].Reference = "" }, "REFUND_MISSING 760000"},
		"a void that was not obeyed": {func(d *day) {
			d.order(d.voided).Provider = &contract.ProviderPayment{State: "DONE", Total: 760_000, Balance: 760_000}
		}, "CHARGE_WITHOUT_RESERVATION -760000"},
		"an order nobody knows": {func(d *day) {
			d.books.items = append(d.books.items, contract.ReconciledItem{OrderID: "x", Provider: &contract.ProviderPayment{State: "DONE", Total: 5000, Balance: 5000}})
		}, "CHARGE_WITHOUT_RESERVATION -5000"},
		"an aborted order nobody knows": {func(d *day) {
			d.books.items = append(d.books.items, contract.ReconciledItem{OrderID: "x", Provider: &contract.ProviderPayment{State: "ABORTED", Total: 5000, Balance: 5000}})
		}, ""},
		"payment believes in another amount":  {func(d *day) { d.order(d.confirmed).Charged = 759_000 }, "AMOUNT_DIFFERS -1000"},
		"payment was to charge another":       {func(d *day) { d.order(d.confirmed).Amount = 759_000 }, "AMOUNT_DIFFERS -1000"},
		"another payment than it was paid by": {func(d *day) { d.order(d.confirmed).PaymentID = "another" }, "CONFIRMED_WITHOUT_CHARGE 760000"},
		"confirmed for too little": {func(d *day) {
			d.exec("UPDATE reservations SET document = JSON_SET(document, '$.dueNow', 800000) WHERE id = ?", d.confirmed)
		}, "CONFIRMED_WITHOUT_CHARGE 40000"},
		"a cancellation that keeps more than its fee": {func(d *day) {
			d.exec("UPDATE reservations SET document = JSON_REMOVE(document, '$.cancellation.parts[0]') WHERE id = ?", d.cancelled)
			d.order(d.cancelled).Refunds, d.order(d.cancelled).Provider = nil, d.order(d.confirmed).Provider
		}, "REFUND_DIFFERS 760000"},
		"a part of a refund that is of no payment": {func(d *day) {
			d.exec("UPDATE reservations SET document = JSON_SET(document, '$.cancellation.parts[0].paymentId', 'x') WHERE id = ?", d.cancelled)
			d.order(d.cancelled).Refunds, d.order(d.cancelled).Provider = nil, d.order(d.confirmed).Provider
		}, "REFUND_DIFFERS 760000"},
		"payment knows no refund":              {func(d *day) { d.order(d.cancelled).Refunds = nil }, "REFUND_DIFFERS 0"},
		"payment believes in a smaller refund": {func(d *day) { d.order(d.cancelled).Refunds[0].Amount = 1 }, "REFUND_DIFFERS 0"},
		"payment has not heard of its refund":  {func(d *day) { d.order(d.cancelled).Refunds[0].Status = contract.RefundStuck }, "REFUND_DIFFERS 0"},
		"payment returned what nobody asks for": {func(d *day) {
			d.order(d.confirmed).Refunds = []contract.ReconciledRefund{{RefundID: "x", Amount: 5, Status: "DONE"}}
		}, "REFUND_DIFFERS -5"},
		"transferred and returned to the card": {func(d *day) { d.order(d.cancelled).Refunds[0].Reference = "BANK-2" }, "REFUNDED_TWICE -760000"},
		"returned to the card twice": {func(d *day) {
			p := d.order(d.cancelled).Provider
			p.Cancels = append(p.Cancels, p.Cancels[0])
		}, "REFUNDED_TWICE -760000"},
		"declined, charged later and returned": {func(d *day) {
			item := d.order(d.declined)
			*item = chargedLater(*item, 760_000)
		}, "CHARGED_AFTER_ALL 0"},
		"declined, charged later and returned in part": {func(d *day) {
			item := d.order(d.declined)
			*item = chargedLater(*item, 700_000)
		}, "CHARGE_WITHOUT_RESERVATION -60000"},
		"declined, charged and returned, and payment knows nothing of it": {func(d *day) {
			d.order(d.declined).Provider = returned("console", 760_000)
		}, "CHARGED_AFTER_ALL 0"},
		"voided, charged later and returned": {func(d *day) { d.order(d.voided).ChargedLater = true }, "CHARGED_AFTER_ALL 0"},
		"voided and returned in part":        {func(d *day) { d.order(d.voided).Provider = returned("void", 700_000) }, "CHARGE_WITHOUT_RESERVATION -60000"},
		"unknown, charged and returned in part": {func(d *day) {
			item := d.order(d.declined)
			item.Status, item.Provider = contract.PaymentUnknown, returned("console", 700_000)
		}, "CHARGE_WITHOUT_RESERVATION -60000"},
		"unknown, charged and returned": {func(d *day) {
			item := d.order(d.declined)
			item.Status, item.Provider = contract.PaymentUnknown, returned("console", 760_000)
		}, "CHARGED_AFTER_ALL 0"},
		"an order nobody knows, charged and returned": {func(d *day) {
			d.books.items = append(d.books.items, contract.ReconciledItem{OrderID: "x", Provider: returned("console", 760_000)})
		}, "CHARGED_AFTER_ALL 0"},
		"a void that payment believes to be stuck": {func(d *day) { d.order(d.voided).Refunds[0].Status = contract.RefundStuck }, "REFUND_DIFFERS 760000"},
		"returned, and payment believes that it stands": {func(d *day) {
			d.order(d.voided).Status, d.order(d.voided).Refunds = contract.PaymentIsApproved, nil
		}, "REFUND_DIFFERS 760000"},
		"a void that returned more than was charged": {func(d *day) {
			d.order(d.voided).Refunds = []contract.ReconciledRefund{{RefundID: "v", Cause: "VOID", Amount: 760_000, Status: "DONE", Reference: "BANK-3"}}
		}, "REFUNDED_TWICE -760000"},
		"a void of another amount than payment believes": {func(d *day) { d.order(d.voided).Charged = 760_001 }, "AMOUNT_DIFFERS 1"},
		"pending for long, and charged": {func(d *day) {
			d.exec("UPDATE reservations SET status = 'PENDING', document = JSON_SET(document, '$.status', 'PENDING') WHERE id = ?", d.voided)
			d.order(d.voided).Provider = &contract.ProviderPayment{State: "DONE", Total: 760_000, Balance: 760_000}
		}, "STUCK_PENDING -760000"},
		"a refund of an older charge that the provider knows nothing of": {func(d *day) {
			d.elsewhere(d.cancelled).Provider.Cancels = nil
		}, "REFUND_MISSING 760000"},
		"an order of another day that agrees": {func(d *day) { d.elsewhere(d.cancelled) }, ""},
		"a debt without a row": {func(d *day) {
			d.exec(`UPDATE reservations SET document = JSON_SET(document, '$.cancellation.compensation', JSON_OBJECT('amount', 9, 'status', 'DUE', 'dueAt', '2026-01-01T00:00:00Z')) WHERE id = ?`, d.cancelled)
		}, "COMPENSATION_DIFFERS 9"},
		"a debt of no reservation": {func(d *day) {
			d.exec("INSERT INTO compensations (reservation_id, customer_id, amount, status, due_at) VALUES (?, 'c', 7, 'DUE', UTC_TIMESTAMP(6))", newID())
		}, "COMPENSATION_DIFFERS -7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDay(t)
			c.change(d)
			got := ""
			for _, x := range d.reconcile().Differences {
				got += fmt.Sprintf("%s %d", x.Kind, x.AmountDiff)
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
