package telemetry_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/telemetry"
)

// A request gets an id of its own first, and that of the reservation it is about when it has read which one.
func TestALineHasOneCorrelationId(t *testing.T) {
	var out bytes.Buffer
	log := telemetry.NewLogger(&out, "test", "info")
	ctx := telemetry.WithCorrelation(telemetry.WithCorrelation(log.WithContext(context.Background()), "first"), "second")
	zerolog.Ctx(ctx).Info().Msg("here")
	if line := out.String(); strings.Count(line, "correlationId") != 1 || !strings.Contains(line, `"correlationId":"second"`) || telemetry.Correlation(ctx) != "second" {
		t.Error(line)
	}
}
