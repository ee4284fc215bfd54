// Command paymentsim plays the payment provider on a development machine. It speaks the published HTTP of Toss
// Payments, charges nobody, and does on demand what a provider does on a bad day.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/telemetry"
)

// settings are read from the environment; README.md explains them.
type settings struct {
	Environment string        `env:"ONEQ_ENVIRONMENT" default:"production"`
	Listen      string        `env:"ONEQ_LISTEN" default:"127.0.0.1"`
	Port        int           `env:"APP_PORT" default:"8099"`
	LogLevel    string        `env:"ONEQ_LOG_LEVEL" default:"info"`
	DrainTime   time.Duration `env:"ONEQ_DRAIN_TIME" default:"10s"`
	SecretKey   string        `env:"ONEQ_PROVIDER_SECRET_KEY" default:"test_sk_dev" secret:"true"`
	LedgerFile  string        `env:"ONEQ_LEDGER_FILE" default:".run/paymentsim-ledger.jsonl"`
}

// errNotDevelopment is why the program refuses to start: it approves payments that nobody makes.
var errNotDevelopment = errors.New("the payment simulator approves payments that nobody makes and therefore starts only with ONEQ_ENVIRONMENT=development")

func main() { config.Main("paymentsim", run) }

// run serves until the context ends.
func run(ctx context.Context, cfg settings) error {
	if cfg.Environment != "development" {
		return errNotDevelopment
	}
	log := telemetry.NewLogger(os.Stdout, "paymentsim", cfg.LogLevel)
	config.Log(log, cfg)
	listener, err := net.Listen("tcp", net.JoinHostPort(cfg.Listen, strconv.Itoa(cfg.Port)))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return serve(ctx, cfg, listener, log)
}

func serve(ctx context.Context, cfg settings, listener net.Listener, log zerolog.Logger) error {
	book, err := openBook(cfg.LedgerFile)
	if err != nil {
		return errors.Join(fmt.Errorf("ledger: %w", err), listener.Close())
	}
	app := newServer(book, cfg.SecretKey, log)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return app.Listener(listener) })
	group.Go(func() error {
		<-ctx.Done()
		err := app.ShutdownWithTimeout(cfg.DrainTime)
		_ = listener.Close() // Shutdown leaves it open when it comes before the first Accept
		return err
	})
	log.Info().Str("addr", listener.Addr().String()).Int("entries", len(book.entriesOf(""))).Msg("listening")
	return errors.Join(group.Wait(), book.close())
}
