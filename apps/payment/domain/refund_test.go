package domain

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"oneqtour/apps/internal/money"
)

func approved(t *testing.T) *Payment {
	t.Helper()
	p := requested(t, 10_000)
	must(t, p.Replied(Reply{Kind: Answered, Charge: done(10_000)}, at(0)))
	p.Happened()
	return p
}

func cancellation(amount money.KRW) Refund {
	return Refund{ID: "0197a000-0000-7000-8000-0000000000ff", Cause: CauseCancellation, Amount: amount, CausationID: "e-1"}
}

func TestARefundIsAskedForOncePerCauseAndSaidAgainWhenDone(t *testing.T) {
	p := approved(t)
	must(t, p.Refund(cancellation(7_000), at(0)))
	must(t, p.Refund(cancellation(7_000), at(0)))
	if len(p.refunds) != 1 || len(p.Happened()) != 0 {
		t.Fatalf("%v", p.refunds)
	}
	r, _ := p.OpenRefund()
	must(t, p.RefundReplied(r.ID, Reply{Kind: Answered, Charge: Charge{Cancels: []Return{{r.Reason(), 7_000}}}}, at(0)))
	version := p.Version()
	must(t, p.Refund(cancellation(7_000), at(time.Minute)))
	if h := p.Happened(); !slices.Equal(h, []Happening{WasRefunded, WasRefunded}) || p.Version() != version {
		t.Errorf("happened %v", h)
	}
}

func TestARefundOfNothingIsDoneAtBirth(t *testing.T) {
	p := approved(t)
	must(t, p.Refund(cancellation(0), at(0)))
	if _, open := p.OpenRefund(); open || !slices.Equal(p.Happened(), []Happening{WasRefunded}) || !p.next.IsZero() {
		t.Errorf("%v", p.refunds)
	}
}

func TestRefundsThatCannotBeAreRefused(t *testing.T) {
	if err := approved(t).Refund(cancellation(10_001), at(0)); !errors.Is(err, ErrTooMuch) {
		t.Error(err)
	}
	if err := approved(t).Refund(cancellation(-1), at(0)); !errors.Is(err, ErrTooMuch) {
		t.Error(err)
	}
	if err := requested(t, 10_000).Refund(cancellation(1), at(0)); !errors.Is(err, ErrNotRefundable) {
		t.Error(err)
	}
}

func TestAStuckRefundCountsAndIsNotRepeated(t *testing.T) {
	p := approved(t)
	must(t, p.Refund(cancellation(9_000), at(0)))
	r, _ := p.OpenRefund()
	must(t, p.RefundReplied(r.ID, Reply{Kind: Refused, Code: "NOT_CANCELABLE_PAYMENT"}, at(0)))
	if _, open := p.OpenRefund(); open || p.refunds[0].Status != RefundStuck || len(p.Alarms()) != 1 || p.refunded() != 9_000 {
		t.Errorf("%v, alarms %v", p.refunds, p.Alarms())
	}
	must(t, p.Refund(cancellation(9_000), at(time.Minute)))
	if _, open := p.OpenRefund(); open || !p.next.IsZero() {
		t.Error("repeated")
	}
}

func TestEveryRetryHasAKeyOfItsOwnAndTheReasonThatNamesTheRefund(t *testing.T) {
	p := approved(t)
	must(t, p.Refund(cancellation(9_000), at(0)))
	reason, keys := p.refunds[0].Reason(), []string{}
	for range 12 {
		keys = append(keys, p.refunds[0].Key())
		must(t, p.RefundReplied(p.refunds[0].ID, Reply{Kind: Refused, Code: "REFUND_REJECTED"}, at(0)))
		must(t, p.Retry(p.refunds[0].ID, "operator-1", at(0)))
	}
	slices.Sort(keys)
	if len(slices.Compact(keys)) != 12 || keys[0] != string(p.refunds[0].ID) || p.refunds[0].Reason() != reason {
		t.Errorf("%q, %q", keys, p.refunds[0].Reason())
	}
}

// What is read of the provider's refunds decides whether it is asked.
func TestTheProvidersRefundsAreReadBeforeItIsAsked(t *testing.T) {
	ours := cancellation(7_000)
	for name, c := range map[string]struct {
		seen   Reply
		ask    bool
		status RefundStatus
	}{
		"nothing returned":         {Reply{Kind: Answered, Charge: done(10_000)}, true, RefundRequested},
		"ours is there":            {Reply{Kind: Answered, Charge: back(Return{ours.Reason(), 7_000})}, false, RefundDone},
		"another amount of ours":   {Reply{Kind: Answered, Charge: back(Return{ours.Reason(), 6_999})}, false, RefundStuck},
		"somebody returned enough": {Reply{Kind: Answered, Charge: back(Return{"by hand", 2_000})}, true, RefundRequested},
		"somebody left too little": {Reply{Kind: Answered, Charge: back(Return{"by hand", 4_000})}, false, RefundStuck},
		"another payment":          {Reply{Kind: Answered, Charge: Charge{State: "DONE", OrderID: "x", Balance: 10_000}}, false, RefundRequested},
		"not found":                {Reply{Kind: NotFound}, false, RefundRequested},
		"lost":                     {Reply{}, false, RefundRequested},
	} {
		t.Run(name, func(t *testing.T) {
			p := approved(t)
			must(t, p.Refund(ours, at(0)))
			ask, err := p.RefundSeen(ours.ID, c.seen, at(time.Second))
			if err != nil || ask != c.ask || p.refunds[0].Status != c.status {
				t.Errorf("ask %t, %v, %v", ask, p.refunds, err)
			}
			if !ask && c.status == RefundRequested && !p.next.After(at(time.Second).Now) {
				t.Error("not scheduled again")
			}
		})
	}
}

func back(r Return) Charge {
	c := done(10_000)
	c.State, c.Balance, c.Cancels = "PARTIAL_CANCELED", c.Total-r.Amount, []Return{r}
	return c
}

func TestAnUnclearAnswerIsNoRefund(t *testing.T) {
	for _, reply := range []Reply{{}, {Kind: NotSent}, {Kind: Refused, Code: "ALREADY_CANCELED_PAYMENT"},
		{Kind: Refused, Code: "PROVIDER_ERROR"}, {Kind: Answered, Charge: done(10_000)}} {
		p := approved(t)
		must(t, p.Refund(cancellation(7_000), at(0)))
		must(t, p.RefundReplied(p.refunds[0].ID, reply, at(time.Second)))
		if p.refunds[0].Status != RefundRequested || !p.next.After(at(time.Second).Now) {
			t.Errorf("%v makes %v", reply, p.refunds)
		}
	}
}

// Whatever is said and asked, in whatever order: the states follow the table, an approval stands for exactly our
// amount, and no more goes back than was taken.
func TestWhateverHappensNoMoreIsReturnedThanWasCharged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := Request(intent(10_000), at(0))
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "approved") { // else few ways lead to two refunds
			if err := p.Replied(Reply{Kind: Answered, Charge: done(10_000)}, at(0)); err != nil {
				t.Fatal(err)
			}
		}
		// What comes first is drawn most.
		steps := []string{"refund", "refund replied", "operator", "inquired", "replied", "void"}
		states := rapid.SampledFrom([]string{"DONE", "DONE", "PARTIAL_CANCELED", "CANCELED", "ABORTED", "IN_PROGRESS"})
		reply := rapid.Custom(func(t *rapid.T) Reply {
			c := done(money.KRW(rapid.SampledFrom([]int{10_000, 10_000, 9_999, 10_001}).Draw(t, "total")))
			c.State = states.Draw(t, "state")
			return Reply{Kind: ReplyKind(rapid.IntRange(0, 4).Draw(t, "kind")), Charge: c,
				Code: rapid.SampledFrom([]string{"REJECT_CARD_PAYMENT", "REFUND_REJECTED", "WHO_KNOWS"}).Draw(t, "code")}
		})
		for i := range rapid.IntRange(5, 30).Draw(t, "steps") {
			m, before := at(time.Duration(i)*3*time.Second), p.Status()
			var err error
			switch rapid.SampledFrom(steps).Draw(t, "what") {
			case "replied":
				err = p.Replied(reply.Draw(t, "reply"), m)
			case "inquired":
				err = p.Inquired(reply.Draw(t, "reply"), m)
			case "void":
				err = p.Void(fmt.Sprint("e-", i), m)
			case "refund":
				asked := cancellation(rapid.SampledFrom([]money.KRW{7_000, 3_000, 3_001, 10_000, 10_001, 1, 0}).Draw(t, "amount"))
				if rapid.Bool().Draw(t, "waiver") {
					asked.ID, asked.Cause = "0197a000-0000-7000-8000-0000000000fe", CauseWaiver
				}
				err = p.Refund(asked, m)
				if errors.Is(err, ErrTooMuch) || errors.Is(err, ErrNotRefundable) {
					err = nil
				}
			case "refund replied":
				if r, open := p.OpenRefund(); open {
					answer := reply.Draw(t, "reply")
					if rapid.Bool().Draw(t, "listed") {
						answer.Charge.Cancels = []Return{{r.Reason(), r.Amount}}
					}
					err = p.RefundReplied(r.ID, answer, m)
				}
			case "operator":
				if len(p.refunds) == 0 {
					continue
				}
				was := rapid.SampledFrom(p.refunds).Draw(t, "refund")
				if rapid.Bool().Draw(t, "retry") {
					err = p.Retry(was.ID, "operator-1", m)
				} else {
					err = p.Settle(was.ID, "BANK-1", "operator-1", m)
				}
				settledAlready := was.Reference != "" && err == nil
				if is := was.Status == RefundStuck; is != (err == nil) && !settledAlready {
					t.Fatalf("of a refund that is %s: %v", was.Status, err)
				}
				err = nil
			}
			if err != nil {
				t.Fatalf("from %s: %v", before, err)
			}
			if p.Forgotten() {
				return
			}
			if p.refunded() > p.charged {
				t.Fatalf("%d won of %d go back: %v", p.refunded(), p.charged, p.refunds)
			}
			if p.Status() == Approved && p.charged != 10_000 {
				t.Fatalf("approved for %d won", p.charged)
			}
			if p.Status() != before && !slices.Contains(reachable(before), p.Status()) {
				t.Fatalf("from %s to %s", before, p.Status())
			}
			if restored := Restore(p.Snapshot()); restored.Status() != p.Status() || restored.Version() != p.Version() {
				t.Fatal("a snapshot loses something")
			}
			for _, r := range p.refunds {
				if r.Status == RefundRequested && p.next.IsZero() {
					t.Fatalf("nobody will ask for %+v", r)
				}
			}
			open := p.Status() != Approved || func() bool { _, o := p.OpenRefund(); return o }()
			if open && p.next.IsZero() && p.Status() != Declined && p.Status() != Voided && !stuck(p) {
				t.Fatalf("%s and nobody will look at it again", p.Status())
			}
		}
	})
}

func stuck(p *Payment) bool {
	return slices.ContainsFunc(p.refunds, func(r Refund) bool { return r.Status == RefundStuck })
}

// reachable states, by any number of steps of one change.
func reachable(from Status) []Status {
	all := slices.Clone(transitions[from])
	for i := 0; i < len(all); i++ {
		all = append(all, transitions[all[i]]...)
	}
	return all
}
