// Package telemetry sets up the structured log of a program and carries the correlation id of a request
// through its context, so that one id joins the lines of every service that took part.
package telemetry

import (
	"context"
	"io"
	"time"

	"github.com/rs/zerolog"
)

// NewLogger writes one JSON object a line: time (UTC), level, app, message and fields.
func NewLogger(w io.Writer, app, level string) zerolog.Logger {
	lvl, err := zerolog.ParseLevel(level)
	if err != nil || level == "" {
		lvl = zerolog.InfoLevel
	}
	zerolog.TimeFieldFormat = time.RFC3339Nano
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
	return zerolog.New(w).Level(lvl).With().Timestamp().Str("app", app).Logger()
}

type (
	correlationKey struct{}
	plainLogKey    struct{} // the logger before an id was put into it
)

// WithCorrelation puts the correlation id into the context and into the context's logger, in place of one that was
// there.
func WithCorrelation(ctx context.Context, id string) context.Context {
	plain, there := ctx.Value(plainLogKey{}).(*zerolog.Logger)
	if !there {
		plain = zerolog.Ctx(ctx)
		ctx = context.WithValue(ctx, plainLogKey{}, plain)
	}
	log := plain.With().Str("correlationId", id).Logger()
	return log.WithContext(context.WithValue(ctx, correlationKey{}, id))
}

// Correlation is the correlation id of the context; empty when there is none.
func Correlation(ctx context.Context) string {
	id, _ := ctx.Value(correlationKey{}).(string)
	return id
}
