package telemetry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
)

type traceKey struct{}

// WithTrace puts the W3C traceparent of a request or event into the context. A missing one, or the all-zero
// one that Dapr sends while tracing is off, is replaced by a fresh one: events must carry a traceparent, or
// Dapr writes its own over it.
func WithTrace(ctx context.Context, traceparent string) context.Context {
	if !validTrace(traceparent) {
		traceparent = newTrace()
	}
	return context.WithValue(ctx, traceKey{}, traceparent)
}

// Trace is the traceparent of the context, a fresh one when there is none.
func Trace(ctx context.Context) string {
	if t, ok := ctx.Value(traceKey{}).(string); ok {
		return t
	}
	return newTrace()
}

func validTrace(t string) bool {
	parts := strings.Split(t, "-")
	if len(parts) != 4 || len(parts[0]) != 2 || len(parts[1]) != 32 || len(parts[2]) != 16 || len(parts[3]) != 2 {
		return false
	}
	if _, err := hex.DecodeString(strings.Join(parts, "")); err != nil {
		return false
	}
	return strings.Trim(parts[1], "0") != "" && strings.Trim(parts[2], "0") != ""
}

func newTrace() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return "00-" + hex.EncodeToString(b[:16]) + "-" + hex.EncodeToString(b[16:]) + "-00"
}
