// Command gateway is the one public port of oneqtour: it knows which service answers what, who may ask, and
// how much at a time. It owns nothing.
package main

import (
	"context"
	"os"
	"time"

	"oneqtour/apps/gateway/httpapi"
	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/internal/web"
)

func main() { config.Main("gateway", run) }

// run serves until the context ends.
func run(ctx context.Context, cfg settings) error {
	log := telemetry.NewLogger(os.Stdout, cfg.AppID, cfg.LogLevel)
	config.Log(log, cfg)
	dapr, err := sidecar.New(cfg.sidecar())
	if err != nil {
		return err
	}
	defer func() { _ = dapr.Close() }()
	app := web.NewApp(web.Options{AppID: cfg.AppID, Log: log})
	// Clients are strangers here: one that sends or reads too slowly must not keep its connection for ever.
	app.Server().ReadTimeout = 30 * time.Second
	app.Server().WriteTimeout = 30 * time.Second
	httpapi.Mount(app, httpapi.Gateway{
		Services: dapr,
		Identity: web.NewIdentity(cfg.OIDCIssuer, cfg.OIDCAudience),
		Subjects: httpapi.NewLimiter(cfg.RateSubject, cfg.BurstSubject),
		Sources:  httpapi.NewLimiter(cfg.RateAddress, cfg.BurstAddress),
	})
	log.Info().Str("addr", cfg.Addr()).Msg("listening")
	return web.Serve(ctx, app, cfg.Addr(), cfg.DrainTime)
}
