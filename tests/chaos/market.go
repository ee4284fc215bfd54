package chaos

import (
	"math/rand/v2"
	"sync"
	"time"
)

// tour is a product as its MD last saw it.
type tour struct {
	id, md     string
	departures []departure
	elastic    bool // its capacities are changed
}

type departure struct {
	id       string
	capacity int
}

// market is what everybody knows of the products on offer.
type market struct {
	mu    sync.Mutex
	tours []tour
}

func (m *market) add(t tour) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tours = append(m.tours, t)
}

// pick is any product and one of its departures; the newest are looked at more often.
func (m *market) pick(dice *rand.Rand) (tour, departure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.tours)
	i := n - 1 - min(dice.IntN(n), dice.IntN(n))
	t := m.tours[i]
	return t, t.departures[dice.IntN(len(t.departures))]
}

// of is any product of an MD.
func (m *market) of(md string, dice *rand.Rand) (tour, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var own []tour
	for _, t := range m.tours {
		if t.md == md {
			own = append(own, t)
		}
	}
	if len(own) == 0 {
		return tour{}, false
	}
	return own[dice.IntN(len(own))], true
}

// inDays is a date in Seoul, so many days from now.
func inDays(n int) string {
	return time.Now().In(time.FixedZone("Asia/Seoul", 9*60*60)).AddDate(0, 0, n).Format(time.DateOnly)
}

// trips are the kinds on which fees and compensations depend, with days before departure from every tier.
var trips = []struct {
	kind   string
	nights int
	days   []int
}{
	{"OVERSEAS", 2, []int{40, 25, 15, 9, 3}},
	{"DOMESTIC", 1, []int{12, 4, 1}},
	{"DOMESTIC", 0, []int{8, 2, 1}},
}

// capacities: most departures are sought after, so that seats run out.
var capacities = []int{5, 8, 12, 20, 60}

// newTour is the body of a product.
func newTour(dice *rand.Rand) (body object, capacity []int) {
	trip := trips[dice.IntN(len(trips))]
	var departures []object
	for _, days := range trip.days {
		c := capacities[dice.IntN(len(capacities))]
		capacity = append(capacity, c)
		departures = append(departures, object{"date": inDays(days), "capacity": c, "minParticipants": 1})
	}
	country := map[string]string{"OVERSEAS": "JP", "DOMESTIC": "KR"}[trip.kind]
	return object{
		"kind": trip.kind, "name": object{"ko": "소문난 여행", "en": "A popular trip"}, "description": object{"ko": "…", "en": "…"},
		"country": country, "nights": trip.nights, "price": 10_000 + 7*dice.IntN(100_000), "discountRate": 100 * dice.IntN(20),
		"recommendation": dice.IntN(6), "cancellationPolicy": object{"type": "STANDARD"}, "departures": departures,
	}, capacity
}
