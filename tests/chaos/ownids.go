package chaos

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"oneqtour/tests/chaos/oracle"
)

// takenID is an id that a customer made and that the system has named since.
type takenID struct {
	wish  oracle.Call
	body  object
	stood bool // its seats were taken when its owner asked last, so that it can never be opened again
}

// idBook is where everybody finds ids that are somebody's.
type idBook struct {
	mu    sync.Mutex
	taken []takenID
}

func (b *idBook) note(t takenID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = append(b.taken, t)
}

// any of the newest ones; half the time one of one's own.
func (b *idBook) any(of string, dice *rand.Rand) (takenID, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	own := dice.IntN(2) == 0
	var such []takenID
	for _, t := range slices.Backward(b.taken) {
		if (t.wish.User == of) == own && len(such) < 30 {
			such = append(such, t)
		}
	}
	if len(such) == 0 {
		return takenID{}, false
	}
	return such[dice.IntN(len(such))], true
}

// misuse asks with an id that is somebody's, in a way that must be refused: another's at all, and one's own for another
// departure, or, once it stands, with another body under its key, or with another key.
func (c *traveller) misuse(dice *rand.Rand) {
	t, ok := c.ids.any(c.name, dice)
	if !ok {
		return
	}
	wish, body := t.wish, maps.Clone(t.body)
	wish.Op, wish.User = oracle.OpMisuse, c.name
	how := dice.IntN(3)
	switch {
	case t.wish.User != c.name:
		wish.Key = newID()
	case t.stood && how == 0:
		wish.Travellers++
		body["travellers"] = wish.Travellers
	case t.stood && how == 1:
		wish.Key = newID()
	default:
		p, d := c.market.pick(dice)
		if d.id == wish.Departure {
			return
		}
		wish.Key, wish.Product, wish.Departure = newID(), p.id, d.id
		body["productId"], body["departureId"] = p.id, d.id
	}
	c.ask(wish, "POST", "/api/reservations", body)
}
