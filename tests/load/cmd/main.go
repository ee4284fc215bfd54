// Command cmd fills a running system: see package load. deploy/local/load.sh runs it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"oneqtour/tests/load"
)

func main() {
	front := flag.String("front", "http://127.0.0.1:8080", "address of the gateway")
	issuer := flag.String("issuer", "http://127.0.0.1:8089", "address of the development issuer")
	products := flag.Int("products", 10_000, "products that there are to be")
	reservations := flag.Int("reservations", 100_000, "reservations that there are to be")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := fill(ctx, *front, *issuer, *products, *reservations); err != nil {
		fmt.Fprintln(os.Stderr, "oneqtour:", err)
		os.Exit(1)
	}
}

// fill shows every few seconds how far it has come.
func fill(ctx context.Context, front, issuer string, products, reservations int) error {
	filler := &load.Filler{Front: front, Token: func(user string) (string, error) { return token(ctx, issuer, user) }}
	begun, done := time.Now(), make(chan error, 1)
	go func() { done <- filler.Fill(ctx, products, reservations) }()
	show := func() {
		p, r := filler.Done()
		fmt.Printf("%6.0fs  %d of %d products, %d of %d reservations\n", time.Since(begun).Seconds(), p, products, r, reservations)
	}
	for {
		select {
		case err := <-done:
			show()
			return err
		case <-time.After(5 * time.Second):
			show()
		}
	}
}

// token of a user from the development issuer.
func token(ctx context.Context, issuer, user string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, issuer+"/oauth/token",
		strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	if err != nil {
		return "", err
	}
	req.SetBasicAuth(user, "dev")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Token == "" {
		return "", fmt.Errorf("the issuer answered %d (%w)", res.StatusCode, err)
	}
	return answer.Token, nil
}
