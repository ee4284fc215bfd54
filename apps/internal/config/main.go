package config

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main is the whole of a program's main: it reads the settings, runs until told to stop (SIGTERM, SIGINT), and
// ends with status 1 and one sentence when that fails.
func Main[T any](name string, run func(ctx context.Context, cfg T) error) {
	var cfg T
	err := Load(&cfg)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		if err = serveProfiles(cfg); err == nil {
			err = run(ctx, cfg)
		}
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}
