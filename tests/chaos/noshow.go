package chaos

import (
	"context"
	"math/rand/v2"
	"time"

	"oneqtour/tests/chaos/oracle"
)

// absentee is a reservation whose travellers will not come, and the MD of its product.
type absentee struct{ reservation, md string }

// recordNoShow records such a one that did not come, sometimes also before the departure date, which is refused. It is
// asked until it is answered: who has begun it ends it.
func (l *load) recordNoShow(by string, such func(absentee) bool, dice *rand.Rand) {
	a, ok := l.desk.absent.take(such)
	if !ok {
		return
	}
	path := "/api/reservations/" + a.reservation + "/no-show"
	if dice.IntN(3) == 0 {
		l.ask(oracle.Call{User: by, Op: oracle.OpTooEarly, Service: "reservation", Of: a.reservation}, "POST", path, nil)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*mostRecovery)
	defer cancel()
	if !l.theDayComes(ctx, a.reservation, dice.IntN(4)) {
		return
	}
	for ctx.Err() == nil {
		answer := l.ask(oracle.Call{User: by, Op: oracle.OpNoShow, Service: "reservation", Of: a.reservation}, "POST", path, nil)
		if known(answer) {
			return
		}
		pause(ctx, patience(answer))
	}
}

// theDayComes to a reservation: its departure was so many days ago. Nobody can reserve for a day that has come, and no
// run lasts until tomorrow; so the day comes to the reservation where it is kept, under the lock that every change of it
// takes. The next change, which is the no-show, tells everybody of it.
func (l *load) theDayComes(ctx context.Context, reservation string, ago int) bool {
	for ctx.Err() == nil {
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		_, err := l.sys.Database(l.t, "reservation").ExecContext(short, `UPDATE reservations
			SET document = JSON_SET(document, '$.departureDate', ?) WHERE id = ? AND status = 'CONFIRMED'`, inDays(-ago), reservation)
		cancel()
		if err == nil {
			return true
		}
		pause(ctx, time.Second)
	}
	return false
}
