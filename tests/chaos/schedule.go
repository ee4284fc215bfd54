package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// fault is one thing that goes wrong, from At for For.
type fault struct {
	At     time.Duration `json:"at"` // since the load began
	For    time.Duration `json:"for"`
	How    string        `json:"how"`    // kill, pause, slow, cut
	Victim string        `json:"victim"` // a service, a sidecar (product.daprd), a server, or the link to a server (mariadb.link)
	Delay  time.Duration `json:"delay,omitempty"`
}

func (f fault) String() string {
	s := fmt.Sprintf("%6.1fs %-5s %-18s %4.1fs", f.At.Seconds(), f.How, f.Victim, f.For.Seconds())
	if f.Delay > 0 {
		s += fmt.Sprintf(" (+%s)", f.Delay)
	}
	return s
}

var (
	services = []string{"product", "store", "reservation", "payment", "viewpage", "gateway"}
	// kinds of victims, and how each is hit.
	kinds = []struct {
		name    string
		victims []string
		how     []string
	}{
		{"service", services, []string{"kill", "pause"}},
		{"database", []string{"mariadb"}, []string{"kill", "pause"}},
		{"sidecar", withSuffix(services, ".daprd"), []string{"kill", "pause"}},
		{"broker", []string{"redis"}, []string{"kill", "pause"}},
		{"provider", []string{"paymentsim"}, []string{"kill", "pause"}},
		{"link", withSuffix(linked, ".link"), []string{"slow", "cut"}},
		{"issuer", []string{"issuer"}, []string{"kill"}},
	}
)

func withSuffix(names []string, suffix string) (out []string) {
	for _, n := range names {
		out = append(out, n+suffix)
	}
	return out
}

// schedule is what goes wrong in a run of that length. The same seed and length give the same schedule. Every kind of
// process is hit before one of them is hit again, and every pair of victim and way before one of them is repeated;
// every fourth fault begins while another one lasts. The end is left for the last ones to pass.
func schedule(seed uint64, length time.Duration) []fault {
	dice := rand.New(rand.NewPCG(seed, 4711))
	between := func(least, most time.Duration) time.Duration {
		return (least + time.Duration(dice.Int64N(int64(most-least)))).Round(100 * time.Millisecond)
	}
	var all []fault
	at, deck := 5*time.Second, rounds(dice)
	for {
		if len(deck) < 2 {
			deck = append(deck, rounds(dice)...)
		}
		f := deck[0]
		deck = deck[1:]
		f.At, f.For = at, between(2*time.Second, 6*time.Second)
		if f.How == "slow" {
			f.Delay = between(100*time.Millisecond, 900*time.Millisecond)
			if f.Victim == "paymentsim.link" {
				f.Delay *= 5 // beyond what reservation waits for
			}
		}
		if at+f.For+5*time.Second > length {
			return all
		}
		all = append(all, f)
		if len(all)%4 == 3 && process(f.Victim) != process(deck[0].Victim) {
			at += f.For / 2
		} else {
			at += f.For + between(3*time.Second, 6*time.Second)
		}
	}
}

// process that a fault hits: the service of a sidecar (they are restarted together), the server of a link.
func process(victim string) string {
	name, _, _ := strings.Cut(victim, ".")
	return name
}

// rounds is every way to hit every victim, once, in random order, the kinds by turns.
func rounds(dice *rand.Rand) []fault {
	decks := make([][]fault, len(kinds))
	for i, k := range kinds {
		for _, how := range k.how {
			for _, v := range k.victims {
				decks[i] = append(decks[i], fault{How: how, Victim: v})
			}
		}
		dice.Shuffle(len(decks[i]), func(a, b int) { decks[i][a], decks[i][b] = decks[i][b], decks[i][a] })
	}
	var all []fault
	for {
		var turn []fault
		for i, deck := range decks {
			if len(deck) > 0 {
				turn, decks[i] = append(turn, deck[0]), deck[1:]
			}
		}
		if len(turn) == 0 {
			return all
		}
		dice.Shuffle(len(turn), func(a, b int) { turn[a], turn[b] = turn[b], turn[a] })
		all = append(all, turn...)
	}
}

// kindOf a victim.
func kindOf(victim string) string {
	for _, k := range kinds {
		if slices.Contains(k.victims, victim) {
			return k.name
		}
	}
	return ""
}
