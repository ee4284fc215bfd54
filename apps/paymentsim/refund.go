package main

// refund gives back the amount, or all that is left when the amount is nil.
func (b *book) refund(call, paymentKey string, amount *int64, reason string) (answer, error) {
	b.mu.RLock()
	o := b.byKey[paymentKey]
	b.mu.RUnlock()
	if o == nil {
		return b.commit(record{Call: call, Refusal: errNotFoundPayment})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.payment
	won := p.BalanceAmount
	if amount != nil {
		won = *amount
	}
	if o.token == tokRefusedOnce && !o.refused {
		return b.commit(record{Call: call, Token: o.token, Payment: p, Refusal: errNotCancelable})
	}
	if why := refuseRefund(p, paymentKey, o.token, won); why != nil {
		return b.commit(record{Call: call, Refusal: why})
	}
	now := b.now()
	given, err := b.commit(record{Call: call, Token: o.token, Payment: p.canceled(won, reason, now), Entry: &entry{
		Kind: "REFUND", OrderID: p.OrderID, PaymentKey: paymentKey, Amount: won, At: now.UTC(),
	}})
	given.dropped = o.token == tokRefundLost && len(p.Cancels) == 0
	return given, err
}

// refuseRefund says why a refund is refused; nil when it is not.
func refuseRefund(p *payment, paymentKey string, by token, won int64) *refusal {
	switch {
	case p.PaymentKey != paymentKey:
		return errNotFoundPayment
	case p.Status == stateCanceled:
		return errAlreadyCanceled
	case p.Status != stateDone && p.Status != statePartialCanceled, by == tokRefundRefused:
		return errNotCancelable
	case won > p.BalanceAmount:
		return errCancelAmount
	case by == tokNoPartial && won != p.TotalAmount:
		return errNoPartialRefund
	}
	return nil
}
