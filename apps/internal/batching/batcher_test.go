package batching_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"oneqtour/apps/internal/batching"
)

// What comes while the first is at work is the second batch, in order, and no larger than allowed.
func TestWhatComesMeanwhileIsDoneTogether(t *testing.T) {
	var batches [][]int
	begun, finish := make(chan struct{}), make(chan struct{})
	b := batching.New(3, func(_ context.Context, batch []int) error {
		batches = append(batches, slices.Clone(batch))
		if len(batches) == 1 {
			close(begun)
			<-finish
		}
		return nil
	})
	var all sync.WaitGroup
	do := func(n int) { all.Go(func() { must(t, b.Do(t.Context(), n)) }) }
	do(0)
	<-begun
	for n := 1; n <= 4; n++ {
		do(n)
	}
	b.AwaitWaiting(4)
	close(finish)
	all.Wait()
	if len(batches) != 3 || len(batches[0]) != 1 || len(batches[1]) != 3 || len(batches[2]) != 1 {
		t.Errorf("%v", batches)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// One that cannot be done is the only one that is told so.
func TestABadOneDoesNotHoldUpTheOthers(t *testing.T) {
	bad := errors.New("bad")
	begun, finish := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b := batching.New(10, func(_ context.Context, batch []int) error {
		once.Do(func() { close(begun); <-finish })
		if slices.Contains(batch, 2) {
			return bad
		}
		return nil
	})
	var all sync.WaitGroup
	all.Go(func() { must(t, b.Do(t.Context(), 0)) })
	<-begun
	for n := 1; n <= 3; n++ {
		all.Go(func() {
			if err := b.Do(t.Context(), n); (n == 2) != errors.Is(err, bad) {
				t.Error(n, err)
			}
		})
	}
	b.AwaitWaiting(3)
	close(finish)
	all.Wait()
}

// Who does not wait any longer is told so at once.
func TestACallerMayLeave(t *testing.T) {
	finish := make(chan struct{})
	b := batching.New(1, func(context.Context, []int) error { <-finish; return nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Do(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(finish)
	must(t, b.Do(t.Context(), 2))
}
