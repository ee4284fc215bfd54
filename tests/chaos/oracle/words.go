package oracle

import "slices"

// words: what an owner has said of what it keeps is kept, whoever was killed afterwards. A reservation has been in every
// state that an answer showed; the key of one that was confirmed leads to it; a closure, a decided waiver, a paid
// compensation and a settled refund that were answered with success are there.
func (w *World) words(calls *Log) []Finding {
	var f findings
	for _, c := range calls.Calls() {
		for _, s := range c.Seen {
			if r := w.Reservations[s.ID]; s.Status != "" && (r == nil || !r.was(s.Status)) {
				f.add(BrokenPromise, s.ID, "%s was told by %s that it is %s, and it never was", c.User, c.Op, s.Status)
			}
		}
		if c.Status > 0 && c.Status < 300 && !w.kept(c) {
			f.add(BrokenPromise, c.Of, "%s was told %d for %s, and nothing of it is there", c.User, c.Status, c.Op)
		}
	}
	return f
}

// kept says whether what a call was granted is there.
func (w *World) kept(c Call) bool {
	switch c.Op {
	case OpReserve: // a 202 may still turn out never to have been sent, and its key is forgotten
		return c.Status != 201 || slices.Contains(w.Keys[c.User+" "+c.Key], c.Names())
	case OpClose:
		p := w.Products[c.Product]
		return p != nil && p.Closures[c.Of] != Closure{}
	case OpWaiver:
		r := w.Reservations[c.Of]
		return r != nil && r.Waiver != nil && r.Waiver.Status == c.Wish
	case OpPay:
		return w.Paid[c.Of]
	case OpSettle:
		return slices.ContainsFunc(w.Refunds, func(r Refund) bool { return r.ID == c.Of && r.Reference != "" })
	}
	return true
}
