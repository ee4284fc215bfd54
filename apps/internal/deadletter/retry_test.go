package deadletter_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
)

// attempts counts how often each event was handled.
type attempts struct {
	sync.Mutex
	of map[string]int
}

func (a *attempts) seen() map[string]int {
	a.Lock()
	defer a.Unlock()
	return maps.Clone(a.of)
}

// What a busy service has failed to handle in time it handles by itself later, and stops trying what it never can.
func TestAServiceTriesWhatWasGivenUpAgain(t *testing.T) {
	t.Parallel()
	db := dbtest.Open(t, deadletter.Migrations())
	heard := &attempts{of: map[string]int{}}
	hear := func(_ context.Context, e contract.Event) error {
		heard.Lock()
		defer heard.Unlock()
		heard.of[e.Subject]++
		switch {
		case e.Subject == "panic":
			panic("no such member")
		case e.Subject == "unreadable":
			return fault.New(fault.Malformed)
		case e.Subject == "hopeless" || e.Subject == "busy" && heard.of["busy"] == 1:
			return errors.New("too busy")
		}
		return nil
	}
	app := web.NewApp(web.Options{AppID: "store", AppToken: webtest.AppToken, Log: zerolog.Nop()})
	events := web.Subscriptions{App: "store", PubSub: "pubsub", Topics: map[string]web.Hear{"product": hear}, Letters: deadletter.New(db)}
	events.Mount(app)
	server := webtest.Serve(t, app)

	// bury makes a letter of a topic that was given up some time ago.
	bury := func(topic, subject string, ago time.Duration) {
		id := uuid.NewString()
		server.Deliver(topic, fmt.Sprintf(`{"id":%q,"type":"t","subject":%q,"topic":"product","data":{}}`, id, subject))
		if _, err := db.Exec("UPDATE dead_letters SET at = ? WHERE id = ?", time.Now().UTC().Add(-ago), "store:"+id); err != nil {
			t.Fatal(err)
		}
	}
	bury("dead-store", "fine", time.Minute)
	bury("dead-store", "busy", time.Minute)
	bury("dead-store", "hopeless", time.Minute)
	bury("dead-store", "panic", time.Minute)
	bury("dead-store", "of long ago", 2*time.Hour)
	bury("product", "unreadable", time.Minute) // known to be unreadable: nothing that time could mend
	for i := range 120 {                       // more than are read at once
		bury("dead-store", fmt.Sprint("many", i), 30*time.Minute)
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range 2 { // two replicas
		go func() { _ = events.Retry(ctx) }()
	}
	settled := func() (n int) {
		if err := db.QueryRow("SELECT COUNT(DISTINCT letter) FROM dead_letter_replays WHERE result = 'DONE' AND actor = 'store'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	// The pauses between attempts pass quickly here.
	for deadline := time.Now().Add(50 * time.Second); (settled() < 122 || heard.seen()["hopeless"] < 3 || heard.seen()["panic"] < 3) && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if _, err := db.Exec("UPDATE dead_letter_replays SET at = at - INTERVAL 11 MINUTE WHERE result <> 'STARTED' AND at > UTC_TIMESTAMP(6) - INTERVAL 10 MINUTE"); err != nil {
			t.Fatal(err)
		}
	}
	seen := heard.seen()
	for subject, want := range map[string]int{"fine": 1, "busy": 2, "hopeless": 3, "panic": 3, "of long ago": 0, "unreadable": 1} {
		if seen[subject] != want {
			t.Errorf("%s: handled %d times, want %d", subject, seen[subject], want)
		}
	}
	if n := settled(); n != 122 {
		t.Errorf("%d settled", n)
	}
}
