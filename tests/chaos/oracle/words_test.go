package oracle

import "testing"

// Whoever was told of something that is nowhere afterwards was told a lie.
func TestWhatWasToldIsKept(t *testing.T) {
	r, _ := comesBack()
	r.Status, r.Waiver = "CANCELLED", &Waiver{"OWN_ILLNESS", "REFUSED"}
	r.History = append(r.History, row(5, "CONFIRMED", "CANCEL_REQUESTED", "", 9), row(6, "CANCEL_REQUESTED", "CANCELLED", "", 9.5))
	w := &World{
		Reservations: map[string]*Reservation{"a": r}, Paid: map[string]bool{"a": true, "b": false},
		Products: map[string]*Product{"p": {Closures: map[string]Closure{"d": {"SUPPLIER_FAULT", "2027-03-14"}}}},
		Refunds:  []Refund{{ID: "settled", Reference: "bank-1"}, {ID: "open"}},
	}
	w.Keys = map[string][]string{"one k2": {"a"}}
	seen := func(id, status string) Call {
		return Call{Op: "cancel", Status: 202, Seen: []Seen{{ID: id, Status: status}}}
	}
	for name, c := range map[string]struct {
		call Call
		lie  bool
	}{
		"it was cancelled":                       {seen("a", "CANCEL_REQUESTED"), false},
		"the key leads to it":                    {asks("one", "", "k2", 8, 9, 201, "", "a", "CONFIRMED"), false},
		"the key was forgotten":                  {asks("one", "", "k3", 8, 9, 201, "", "a", "CONFIRMED"), true},
		"the key is another's":                   {asks("two", "", "k2", 8, 9, 201, "", "a", "CONFIRMED"), true},
		"the key of what was never sent":         {asks("one", "", "k3", 8, 9, 202, "", "a", "PENDING"), false},
		"it was completed":                       {seen("a", "COMPLETED"), true},
		"one that is nowhere was cancelled":      {seen("b", "CANCEL_REQUESTED"), true},
		"an answer that was kept says nothing":   {seen("b", ""), false},
		"the departure was closed":               {Call{Op: OpClose, Status: 202, Product: "p", Of: "d"}, false},
		"another departure was closed":           {Call{Op: OpClose, Status: 202, Product: "p", Of: "e"}, true},
		"a departure of another tour was closed": {Call{Op: OpClose, Status: 202, Product: "q", Of: "d"}, true},
		"closing was refused":                    {Call{Op: OpClose, Status: 409, Product: "p", Of: "e"}, false},
		"closing was not answered":               {Call{Op: OpClose, Product: "p", Of: "e"}, false},
		"the waiver was refused":                 {Call{Op: OpWaiver, Status: 200, Of: "a", Wish: "REFUSED"}, false},
		"the waiver was granted":                 {Call{Op: OpWaiver, Status: 200, Of: "a", Wish: "GRANTED"}, true},
		"the compensation was paid":              {Call{Op: OpPay, Status: 200, Of: "a"}, false},
		"one that is still due was paid":         {Call{Op: OpPay, Status: 200, Of: "b"}, true},
		"the refund was settled":                 {Call{Op: OpSettle, Status: 200, Of: "settled"}, false},
		"one that has no reference was settled":  {Call{Op: OpSettle, Status: 200, Of: "open"}, true},
	} {
		found := w.words(told(c.call))
		if len(found) > 0 != c.lie || c.lie && found[0].Kind != BrokenPromise {
			t.Errorf("%s: %v", name, found)
		}
	}
}
