package main

import "time"

// approve charges an order once, in the way of the token. A declined order may be tried again; any other is
// already processed.
func (b *book) approve(call string, by token, orderID string, amount int64) (answer, error) {
	o := b.orderFor(orderID)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.payment != nil && o.payment.Status != stateAborted {
		return b.commit(record{Call: call, Refusal: errAlreadyProcessed})
	}
	if by == tokWrongAmount {
		amount--
	}
	begun := begin(orderID, amount, by, b.now())
	switch by {
	case tokUnknown:
		return answer{dropped: true}, nil
	case tokError:
		return answer{}, errInternal
	case tokDeclined:
		return b.decline(call, by, begun, errRejectedByCompany)
	case tokInsufficient:
		return b.decline(call, by, begun, errRejectedPayment)
	case tokSlow:
		before := o.payment
		b.announce(o, begun) // an inquiry meanwhile sees IN_PROGRESS
		o.mu.Unlock()
		time.Sleep(slowTime)
		o.mu.Lock()
		o.payment = before
	}
	given, err := b.charge(call, by, begun)
	given.dropped = by == tokLost
	return given, err
}

func (b *book) charge(call string, by token, begun *payment) (answer, error) {
	now := b.now()
	p := begun.approved(now)
	return b.commit(record{Call: call, Token: by, Payment: p, Entry: &entry{
		Kind: "CHARGE", OrderID: p.OrderID, PaymentKey: p.PaymentKey, Amount: p.TotalAmount, At: now.UTC(),
	}})
}

func (b *book) decline(call string, by token, begun *payment, why *refusal) (answer, error) {
	return b.commit(record{Call: call, Token: by, Payment: begun.aborted(why), Refusal: why})
}
