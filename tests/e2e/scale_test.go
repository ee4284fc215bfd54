package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"oneqtour/tests/load"
	"oneqtour/tests/stack"
)

// One request shows a hundred products with the states of all their reservations while nobody but the view, its
// sidecar, its store and the gateway is there to ask.
func TestN4_AFilledBoardInOneRequestFromTheViewAlone(t *testing.T) {
	const products, reservations = 120, 360
	fill := func() {
		t.Helper()
		token := func(user string) (string, error) { return sys.Token(t, user), nil }
		if err := load.Fill(t.Context(), sys.URL(8080), token, products, reservations); err != nil {
			t.Fatal(err)
		}
	}
	fill()
	made := rows(t, sys.Database(t, "reservation"), "reservations")
	fill() // what is there counts
	if again := rows(t, sys.Database(t, "reservation"), "reservations"); again != made {
		t.Errorf("%d reservations after filling again, %d before", again, made)
	}
	stack.Eventually(t, 30*time.Second, "the board shows what reservation has", func() error { return likeReservation(t) })

	for _, app := range []string{"product", "store", "reservation", "payment"} {
		for _, process := range []string{app, app + ".daprd"} {
			sys.Pause(t, process)
			defer sys.Continue(t, process)
		}
	}
	sys.Pause(t, "mariadb")
	defer sys.Continue(t, "mariadb")
	a := sys.As(t, "").Do("GET", "/api/view/board?limit=100", nil).Is(t, 200)
	if n := strings.Count(string(a.Body), `"productId"`); n != 100 {
		t.Errorf("%d products", n)
	}
}

type shown struct {
	ProductID    string
	Reservations map[string]int
	Departures   []struct{ DepartureID string }
}

func likeReservation(t *testing.T) error {
	t.Helper()
	page := stack.Read[struct{ Items []shown }](t, sys.As(t, "").Do("GET", "/api/view/board?limit=100", nil).Is(t, 200))
	var wrong []error
	for _, item := range page.Items {
		for status, n := range item.Reservations {
			var ids []any
			for _, d := range item.Departures {
				ids = append(ids, d.DepartureID)
			}
			var stored int
			err := sys.Database(t, "reservation").QueryRow("SELECT COUNT(*) FROM reservations WHERE status = ? AND departure_id IN (?"+
				strings.Repeat(",?", len(ids)-1)+")", append([]any{status}, ids...)...).Scan(&stored)
			if err != nil || stored != n {
				wrong = append(wrong, fmt.Errorf("%s: %d %s shown, %d stored (%w)", item.ProductID, n, status, stored, err))
			}
		}
	}
	if len(page.Items) != 100 {
		wrong = append(wrong, fmt.Errorf("%d items", len(page.Items)))
	}
	return errors.Join(wrong...)
}
