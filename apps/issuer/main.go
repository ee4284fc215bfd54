// Command issuer is the OpenID Connect issuer of a development machine. The protocol is zitadel/oidc's, a
// certified library; here is only what it must be told: who the clients and users are, and which key signs.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/telemetry"
)

// settings are read from the environment; README.md explains them.
type settings struct {
	Environment  string        `env:"ONEQ_ENVIRONMENT" default:"production"`
	Listen       string        `env:"ONEQ_LISTEN" default:"127.0.0.1"`
	Port         int           `env:"APP_PORT" default:"8089"`
	LogLevel     string        `env:"ONEQ_LOG_LEVEL" default:"info"`
	DrainTime    time.Duration `env:"ONEQ_DRAIN_TIME" default:"10s"`
	Issuer       string        `env:"ONEQ_OIDC_ISSUER" optional:"true"` // http:// and the address bound, when empty
	Audience     string        `env:"ONEQ_OIDC_AUDIENCE" default:"oneqtour"`
	ClientSecret string        `env:"ONEQ_CLIENT_SECRET" default:"dev" secret:"true"`
	KeyFile      string        `env:"ONEQ_KEY_FILE" default:".run/issuer-key.pem"`
	RedirectURIs string        `env:"ONEQ_OIDC_REDIRECT_URIS" default:"http://127.0.0.1:8080/auth/callback"` // separated by commas
	LogoutURIs   string        `env:"ONEQ_OIDC_LOGOUT_URIS" default:"http://127.0.0.1:8080/"`                // separated by commas
}

// errNotDevelopment is why the program refuses to start: everybody may choose who they are here.
var errNotDevelopment = errors.New("the issuer signs in anyone as anyone and therefore starts only with ONEQ_ENVIRONMENT=development")

func main() { config.Main("issuer", run) }

// run serves until the context ends.
func run(ctx context.Context, cfg settings) error {
	if cfg.Environment != "development" {
		return errNotDevelopment
	}
	log := telemetry.NewLogger(os.Stdout, "issuer", cfg.LogLevel)
	config.Log(log, cfg)
	listener, err := net.Listen("tcp", net.JoinHostPort(cfg.Listen, strconv.Itoa(cfg.Port)))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return serve(ctx, cfg, listener, log)
}

func serve(ctx context.Context, cfg settings, listener net.Listener, log zerolog.Logger) error {
	if cfg.Issuer == "" {
		cfg.Issuer = "http://" + listener.Addr().String()
	}
	key, err := loadKey(cfg.KeyFile)
	if err != nil {
		return errors.Join(fmt.Errorf("signing key: %w", err), listener.Close())
	}
	store := newStorage(key, directory{
		secret:     cfg.ClientSecret,
		redirects:  list(cfg.RedirectURIs),
		logoutURIs: list(cfg.LogoutURIs),
	}, cfg.Audience)
	handler, err := newHandler(cfg.Issuer, store, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.DrainTime)
		defer cancel()
		return server.Shutdown(drain)
	})
	log.Info().Str("issuer", cfg.Issuer).Str("addr", listener.Addr().String()).Str("kid", key.id).Msg("listening")
	return group.Wait()
}

// list splits a setting at its commas.
func list(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
