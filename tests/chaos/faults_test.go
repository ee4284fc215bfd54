package chaos

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"
)

// However long undoing a fault takes, the next one waits for its process, and for one of two places.
func TestFaultsWaitForTheirTurn(t *testing.T) {
	f := newFaults(nil, nil)
	var mu sync.Mutex
	var all sync.WaitGroup
	at, most := map[string]int{}, 0
	for n := range 60 {
		process := fmt.Sprint(n % 4)
		all.Go(func() {
			over := f.turn(process)
			mu.Lock()
			at[process]++
			if at[process] > 1 {
				t.Errorf("two at %s", process)
			}
			lasting := 0
			for n := range maps.Values(at) {
				lasting += n
			}
			most = max(most, lasting)
			mu.Unlock()
			<-time.After(time.Millisecond)
			mu.Lock()
			at[process]--
			mu.Unlock()
			over()
		})
	}
	all.Wait()
	if most != 2 {
		t.Errorf("%d lasted at once", most)
	}
	if left := slices.Collect(maps.Values(at)); slices.Max(left) != 0 {
		t.Error(left)
	}
}
