// Command viewpage shows every product and every reservation state at one glance, from documents that it
// copies out of events.
package main

import (
	"context"
	"os"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/viewpage/httpapi"
	"oneqtour/apps/viewpage/statestore"
	"oneqtour/apps/viewpage/usecase"
)

func main() { config.Main("viewpage", run) }

// run serves until the context ends. There is nothing to prepare: the sidecar comes up after the app, and
// until it answers /readyz says no.
func run(ctx context.Context, cfg settings) error {
	log := telemetry.NewLogger(os.Stdout, cfg.AppID, cfg.LogLevel)
	config.Log(log, cfg)
	dapr, err := sidecar.New(cfg.Service)
	if err != nil {
		return err
	}
	defer func() { _ = dapr.Close() }()
	view := usecase.New(statestore.New(dapr.State(cfg.StateStore)), dapr.Publisher(cfg.PubSub), usecase.Settings{
		Wait: cfg.Wait, PageSize: pageSize, TripPage: tripPage, App: cfg.AppID, Patience: cfg.Patience, Now: time.Now,
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
	})
	app := web.NewApp(web.Options{AppID: cfg.AppID, AppToken: cfg.AppToken, Log: log, Ready: view.Ready})
	events := httpapi.Mount(app, view, web.NewIdentity(cfg.OIDCIssuer, cfg.OIDCAudience), cfg.AppID, cfg.PubSub)
	group, ctx := errgroup.WithContext(log.WithContext(ctx))
	group.Go(func() error { return web.Serve(ctx, app, cfg.Addr(), cfg.DrainTime) })
	group.Go(func() error { return events.Retry(ctx) })
	group.Go(func() error { return view.Rebuild(ctx) })
	log.Info().Str("addr", cfg.Addr()).Msg("listening")
	return group.Wait()
}
