package main

import (
	"strings"
	"time"
)

// token is what a payer's card does. It is sent as paymentKey of the approval.
type token string

const (
	tokOK            token = "tok_ok"
	tokDeclined      token = "tok_declined"
	tokInsufficient  token = "tok_insufficient"
	tokSlow          token = "tok_slow"
	tokLost          token = "tok_lost"
	tokUnknown       token = "tok_unknown"
	tokError         token = "tok_error"
	tokWrongAmount   token = "tok_wrong_amount"
	tokRefundRefused token = "tok_refund_refused"
	tokRefusedOnce   token = "tok_refund_refused_once"
	tokRefundLost    token = "tok_refund_lost"
	tokNoPartial     token = "tok_no_partial"
)

// slowTime is how long tok_slow keeps its caller waiting.
const slowTime = 5 * time.Second

// parseToken takes off the suffix that tells two cards of the same kind apart: tok_ok.7 is tok_ok.
func parseToken(paymentKey string) (token, bool) {
	name, _, _ := strings.Cut(paymentKey, ".")
	switch t := token(name); t {
	case tokOK, tokDeclined, tokInsufficient, tokSlow, tokLost, tokUnknown, tokError, tokWrongAmount, tokRefundRefused,
		tokRefusedOnce, tokRefundLost, tokNoPartial:
		return t, true
	}
	return "", false
}
