package chaos

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"oneqtour/tests/chaos/oracle"
)

// availability of a path, in seconds of the run. A second is bad when one of the calls that started in it was answered
// 5xx or with a refusal that nobody deserves, not at all, or after more than 5 s. Counted are the seconds that no fault of what the path needs touched.
type availability struct {
	Path      string   `json:"path"`
	Counted   int      `json:"counted"`
	Bad       int      `json:"bad"`
	Excused   int      `json:"excused"`   // a fault of what the path needs lasted
	Aftermath int      `json:"aftermath"` // one had just ended
	Felt      int      `json:"felt"`      // of these, the bad ones
	Idle      int      `json:"idle"`      // nobody asked
	Lower     int      `json:"lower"`     // counted, while a service of lower rank than the store's was hit
	Everyone  float64  `json:"everyone"`  // the share of answered calls, whatever was hit
	Examples  []string `json:"examples,omitempty"`
}

// Share of the counted seconds that were not bad; 0 when none was counted.
func (a availability) Share() float64 { return share(a.Counted-a.Bad, a.Counted) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// path is what a client asks for, with all that it needs. Whoever of these is hit excuses it.
type path struct {
	name  string
	is    func(oracle.Call) bool
	needs []string
}

func ofService(name string) func(oracle.Call) bool {
	return func(c oracle.Call) bool { return c.Service == name && !c.Reserves() }
}

const reserving = "reserve and pay"

var paths = []path{
	{"product", ofService("product"), withAll("product", "gateway", "mariadb")},
	{"store", ofService("store"), withAll("store", "gateway", "mariadb")},
	{"reservation", ofService("reservation"), withAll("reservation", "gateway", "mariadb")},
	// The provider belongs to payment, and the one gateway is the only door.
	{reserving, oracle.Call.Reserves, withAll("reservation", "gateway", "mariadb", "payment", "paymentsim")},
	{"viewpage", ofService("viewpage"), withAll("viewpage", "gateway", "redis")},
	{"gateway", func(oracle.Call) bool { return true }, withAll(append([]string{"mariadb", "redis", "paymentsim"}, services...)...)},
}

// lower are the services of lower rank than the store's and the reservation's.
var lower = withAll("product", "payment", "paymentsim", "viewpage")

// withAll are processes with their sidecars and links.
func withAll(names ...string) []string {
	return slices.Concat(names, withSuffix(names, ".daprd"), withSuffix(names, ".link"))
}

// aftermath is how long a fault is still felt by what it hit, by the stated settings: a service that was hit is asked
// again each second whether it can work; the breaker before payment, which a database that is away opens as well,
// stays open for 2 s and then tries, once more when the first to try fails.
func aftermath(victim string) time.Duration {
	switch process(victim) {
	case "payment", "paymentsim", "mariadb":
		return 5 * time.Second
	}
	return 2 * time.Second
}

// lasts says whether a fault of one of these lasted, or had ended less than its aftermath ago, between two instants.
func lasts(done []struck, of []string, from, to time.Time, aftermath func(string) time.Duration) bool {
	return slices.ContainsFunc(done, func(s struck) bool {
		return slices.Contains(of, s.Victim) && s.Began.Before(to) && s.Ended.Add(aftermath(s.Victim)).After(from)
	})
}

func good(c oracle.Call) bool { return c.Status > 0 && c.Status < 500 }

// patience of a client.
const patienceOfClients = 5 * time.Second

// undue are refusals that nobody here deserves: everybody is signed in, may ask, and asks in time and for what there is.
var undue = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed,
	http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusTooManyRequests}

func bad(c oracle.Call) bool {
	return !good(c) || slices.Contains(undue, c.Status) || c.End.Sub(c.Start) > patienceOfClients
}

func availabilities(calls []oracle.Call, done []struck, start time.Time, seconds int) []availability {
	var all []availability
	for _, p := range paths {
		bySecond, total, fine := map[int][]oracle.Call{}, 0, 0
		for _, c := range calls {
			if p.is(c) {
				n := int(c.Start.Sub(start) / time.Second)
				bySecond[n] = append(bySecond[n], c)
				if total++; good(c) {
					fine++
				}
			}
		}
		a := availability{Path: p.name, Everyone: share(fine, total)}
		for n := range seconds {
			a.count(p, bySecond[n], done, start.Add(time.Duration(n)*time.Second))
		}
		all = append(all, a)
	}
	return all
}

// count judges the second that begins at an instant. A fault that began while a client was still waiting touches it.
func (a *availability) count(p path, calls []oracle.Call, done []struck, from time.Time) {
	until := from.Add(time.Second)
	for _, c := range calls {
		if end := c.Start.Add(patienceOfClients); c.End.Before(end) {
			until = later(until, c.End)
		} else {
			until = later(until, end)
		}
	}
	at := func(string) time.Duration { return 0 }
	switch {
	case lasts(done, p.needs, from, until, at):
		a.Excused++
	case lasts(done, p.needs, from, until, aftermath):
		a.Aftermath++
		if slices.ContainsFunc(calls, bad) {
			a.Felt++
		}
	case len(calls) == 0:
		a.Idle++
	default:
		a.Counted++
		if lasts(done, lower, from, until, at) {
			a.Lower++
		}
		if n := slices.IndexFunc(calls, bad); n >= 0 {
			a.Bad++
			c := calls[n]
			a.Examples = append(a.Examples, fmt.Sprintf("%s %s: %d %s %s after %s %s", c.Start.Format(time.TimeOnly), c.Op, c.Status, c.Code, c.Err, c.End.Sub(c.Start).Round(time.Millisecond), c.Body))
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tells says whether a schedule leaves reserving alone for long enough to judge it, on a machine that takes 10 s to
// start again what was killed.
func tells(plan []fault, length time.Duration) bool {
	start := time.Time{}.AddDate(2000, 0, 0)
	var done []struck
	for _, f := range plan {
		s := struck{fault: f, Began: start.Add(f.At), Ended: start.Add(f.At + f.For)}
		if f.How == "kill" {
			s.Ended = s.Ended.Add(10 * time.Second)
		}
		done = append(done, s)
	}
	var calls []oracle.Call
	for at := start; at.Before(start.Add(length)); at = at.Add(time.Second) {
		calls = append(calls, oracle.Call{Op: oracle.OpReserve, Start: at, End: at, Status: http.StatusCreated})
	}
	for _, a := range availabilities(calls, done, start, len(calls)) {
		if a.Path == reserving {
			return share(a.Counted, len(calls)) > leastCounted
		}
	}
	return false
}
