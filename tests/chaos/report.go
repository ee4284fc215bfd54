package chaos

import (
	"cmp"
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
	Planned      int              `json:"planned"` // faults
	Faults       []recovered      `json:"faults"`
	Seconds      int              `json:"seconds"` // of load
	Samples      samples          `json:"samples"`
	Done         map[string]int   `json:"done"` // of what is rare and must have happened
	Settled      string           `json:"settled"`
	Handled      map[string]int   `json:"handled"` // dead letters that their service has handled after all
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

// recovered is a fault with the time from its end to the first success of what it hit.
type recovered struct {
	struck
	Recovery time.Duration `json:"recovery"`
}

// recoveries: after each fault, the first success of what needs its victim most.
func recoveries(calls []oracle.Call, done []struck) []recovered {
	byStart := slices.Clone(calls)
	slices.SortFunc(byStart, func(a, b oracle.Call) int { return a.Start.Compare(b.Start) })
	affected := map[string]string{"reservation.daprd": "reserve and pay", "mariadb": "reserve and pay", "redis": "viewpage", "payment": "reserve and pay", "paymentsim": "reserve and pay", "issuer": "gateway"}
	var all []recovered
	for _, s := range done {
		r := recovered{s, -1}
		name := cmp.Or(affected[s.Victim], affected[process(s.Victim)], process(s.Victim))
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
	line("seed %d, %s, %d calls, %.0f a second, %s, settled after %s", r.Seed, r.Duration, r.Calls, r.PerSecond, r.Samples, r.Settled)
	line("done %v", r.Done)
	line("reservations %v", r.Reservations)
	line("given up by a sidecar and handled by the service itself later %v", r.Handled)
	line("seat histories: %d departures with %d operations linearizable, %d undecided, %d not judged", r.Seats.Departures-r.Seats.Undecided, r.Seats.Operations, r.Seats.Undecided, r.Seats.Left)
	line("\noperation\tcalls\tp50\tp99\tanswers")
	for _, o := range r.Operations {
		line("%s\t%d\t%s\t%s\t%v", o.Op, o.Calls, o.P50.Round(time.Millisecond), o.P99.Round(time.Millisecond), o.Answers)
	}
	line("\nfault\tvictim\tdown\tundoing it took\trecovered after")
	for _, f := range r.Faults {
		line("%s\t%s\t%s\t%s\t%s %s", f.How, f.Victim, f.Ended.Sub(f.Began).Round(100*time.Millisecond), f.Ended.Sub(f.Undone).Round(100*time.Millisecond), f.Recovery.Round(10*time.Millisecond), f.Err)
	}
	line("\nseconds of\tcounted\tof them bad\tavailable\texcused\taftermath\tof them bad\tnobody asked\twhile lower ranks were hit\tcalls answered in all")
	for _, a := range r.Availability {
		line("%s\t%d\t%d\t%.2f %%\t%d\t%d\t%d\t%d\t%d\t%.2f %%", a.Path, a.Counted, a.Bad, 100*a.Share(), a.Excused, a.Aftermath, a.Felt, a.Idle, a.Lower, 100*a.Everyone)
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
