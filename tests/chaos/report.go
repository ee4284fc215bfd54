package chaos

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"oneqtour/tests/chaos/oracle"
)

// report is what a run showed.
type report struct {
	Seed         uint64           `json:"seed"`
	Duration     string           `json:"duration"`
	Calls        int              `json:"calls"`
	PerSecond    float64          `json:"perSecond"`
	Reservations map[string]int   `json:"reservations"` // by status
	Operations   []operation      `json:"operations"`
	Availability []availability   `json:"availability"`
	Faults       []recovered      `json:"faults"`
	Samples      int              `json:"samples"`
	Blind        int              `json:"blind"` // samples that could not be taken, as while the database was away
	Settled      string           `json:"settled"`
	Seats        oracle.Linear    `json:"seats"`
	Findings     []oracle.Finding `json:"findings"`
}

// operation is how calls of one kind were answered.
type operation struct {
	Op       string         `json:"op"`
	Calls    int            `json:"calls"`
	Answers  map[string]int `json:"answers"` // by status, and code where it is an error
	P50, P99 time.Duration
}

// availability of a path: the share of answers that are neither 5xx nor missing, over the calls that no fault of the
// path itself touched, its aftermath included.
type availability struct {
	Path     string  `json:"path"`
	Counted  int     `json:"counted"`
	Good     int     `json:"good"`
	Share    float64 `json:"share"`
	LeftOut  int     `json:"leftOut"`  // touched by a fault of the path itself
	Everyone float64 `json:"everyone"` // the share over all calls, faults of the path included
}

// recovered is a fault with the time from its end to the first success of what it hit.
type recovered struct {
	struck
	Recovery time.Duration `json:"recovery"`
}

// path is what a client asks for, with all that it needs. Whoever of these is hit excuses it.
type path struct {
	name  string
	is    func(oracle.Call) bool
	needs []string
}

func ofService(name string) func(oracle.Call) bool {
	return func(c oracle.Call) bool { return c.Service == name && c.Op != oracle.OpReserve }
}

var paths = []path{
	{"product", ofService("product"), []string{"product", "gateway", "mariadb"}},
	{"store", ofService("store"), []string{"store", "gateway", "mariadb"}},
	{"reservation", ofService("reservation"), []string{"reservation", "gateway", "mariadb"}},
	{"reserve and pay", func(c oracle.Call) bool { return c.Op == oracle.OpReserve }, []string{"reservation", "gateway", "mariadb", "payment", "paymentsim"}},
	{"viewpage", ofService("viewpage"), []string{"viewpage", "gateway", "redis"}},
	{"gateway", func(oracle.Call) bool { return true }, append([]string{"mariadb", "redis", "paymentsim"}, services...)},
}

// aftermath is how long a fault is still felt by what it hit, by the stated settings: a service that could not reach
// its database is asked again each second whether it can; the breaker before payment stays open for 5 s and then
// tries.
func aftermath(victim string) time.Duration {
	switch process(victim) {
	case "payment", "paymentsim":
		return 6 * time.Second
	}
	return 2 * time.Second
}

// touches says whether a fault can have been felt by the call.
func (s struck) touches(p path, c oracle.Call) bool {
	return slices.Contains(p.needs, process(s.Victim)) && c.Start.Before(s.Ended.Add(aftermath(s.Victim))) && c.End.After(s.Began)
}

func good(c oracle.Call) bool { return c.Status > 0 && c.Status < 500 }

func availabilities(calls []oracle.Call, done []struck) []availability {
	var all []availability
	for _, p := range paths {
		a := availability{Path: p.name}
		total, fine := 0, 0
		for _, c := range calls {
			if !p.is(c) {
				continue
			}
			total++
			if good(c) {
				fine++
			}
			if slices.ContainsFunc(done, func(s struck) bool { return s.touches(p, c) }) {
				a.LeftOut++
				continue
			}
			a.Counted++
			if good(c) {
				a.Good++
			}
		}
		a.Share, a.Everyone = share(a.Good, a.Counted), share(fine, total)
		all = append(all, a)
	}
	return all
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// recoveries: after each fault, the first success of what needs its victim most.
func recoveries(calls []oracle.Call, done []struck) []recovered {
	byStart := slices.Clone(calls)
	slices.SortFunc(byStart, func(a, b oracle.Call) int { return a.Start.Compare(b.Start) })
	affected := map[string]string{"mariadb": "reserve and pay", "redis": "viewpage", "payment": "reserve and pay", "paymentsim": "reserve and pay", "issuer": "gateway"}
	var all []recovered
	for _, s := range done {
		r := recovered{s, -1}
		name := affected[process(s.Victim)]
		if name == "" {
			name = process(s.Victim)
		}
		p := paths[slices.IndexFunc(paths, func(p path) bool { return p.name == name })]
		for _, c := range byStart {
			if c.Start.After(s.Ended) && p.is(c) && c.Status > 0 && c.Status < 300 {
				r.Recovery = c.End.Sub(s.Ended)
				break
			}
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b recovered) int { return a.Began.Compare(b.Began) })
	return all
}

func operations(calls []oracle.Call) []operation {
	byOp := map[string][]oracle.Call{}
	for _, c := range calls {
		byOp[c.Op] = append(byOp[c.Op], c)
	}
	var all []operation
	for op, of := range byOp {
		o := operation{Op: op, Calls: len(of), Answers: map[string]int{}}
		var took []time.Duration
		for _, c := range of {
			answer := strings.TrimSpace(fmt.Sprint(c.Status, " ", c.Code))
			if c.Status == 0 {
				answer = "none"
			}
			o.Answers[answer]++
			took = append(took, c.End.Sub(c.Start))
		}
		slices.Sort(took)
		o.P50, o.P99 = took[len(took)/2], took[len(took)*99/100]
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b operation) int { return b.Calls - a.Calls })
	return all
}

func (r *report) save(name string) error {
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, raw, 0o600)
}

// print shows the report as tables.
func (r *report) print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) }
	line("seed %d, %s, %d calls, %.0f a second, %d samples (%d blind), settled after %s", r.Seed, r.Duration, r.Calls, r.PerSecond, r.Samples, r.Blind, r.Settled)
	line("reservations %v", r.Reservations)
	line("seat histories: %d departures with %d operations linearizable, %d undecided, %d not judged", r.Seats.Departures-r.Seats.Undecided, r.Seats.Operations, r.Seats.Undecided, r.Seats.Left)
	line("\noperation\tcalls\tp50\tp99\tanswers")
	for _, o := range r.Operations {
		line("%s\t%d\t%s\t%s\t%v", o.Op, o.Calls, o.P50.Round(time.Millisecond), o.P99.Round(time.Millisecond), o.Answers)
	}
	line("\nfault\tvictim\tdown\trecovered after")
	for _, f := range r.Faults {
		line("%s\t%s\t%s\t%s %s", f.How, f.Victim, f.Ended.Sub(f.Began).Round(100*time.Millisecond), f.Recovery.Round(10*time.Millisecond), f.Err)
	}
	line("\navailability of\tgood\tof calls\tshare\tleft out\tall calls")
	for _, a := range r.Availability {
		line("%s\t%d\t%d\t%.2f %%\t%d\t%.2f %%", a.Path, a.Good, a.Counted, 100*a.Share, a.LeftOut, 100*a.Everyone)
	}
	line("\n%d findings", len(r.Findings))
	for i, f := range r.Findings {
		if i == 40 {
			line("  … (all in the report's file)")
			break
		}
		line("  %s", f)
	}
	_ = t.Flush()
}
