// Command bench measures the whole system on one machine, in one run: what it can do beside what the two sidecars of
// its longest path can do at all. It starts a stack of its own, and checks at the end that all it has counted is true.
// `make bench` runs it; tests/bench/README.md says what the figures mean.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if os.Getenv(noopPort) != "" {
		exit(serveNoop())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	plan, err := planFromEnv()
	if err != nil {
		exit(err)
	}
	ctx, cancel := context.WithTimeout(ctx, plan.Limit)
	defer cancel()
	result, err := measure(ctx, plan)
	if err != nil {
		exit(err)
	}
	result.print(os.Stdout)
	if err := result.save(plan); err != nil {
		exit(err)
	}
	if len(result.Wrong) > 0 {
		exit(fmt.Errorf("what was measured is not correct: %d findings", len(result.Wrong)))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// say tells whoever waits how far it is.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
