package domain

import (
	"testing"

	"pgregory.net/rapid"
)

// Any order, any number of times: it counts once, and complete is complete.
func TestHeardCountsEachNumberOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h Heard
		seen := map[int64]bool{}
		n := rapid.Int64Range(1, 40).Draw(t, "n")
		for _, i := range rapid.SliceOf(rapid.Int64Range(1, n)).Draw(t, "numbers") {
			if h.Add(i) == seen[i] {
				t.Fatalf("%d", i)
			}
			seen[i] = true
		}
		if h.Count() != int64(len(seen)) || h.All(n) != (int64(len(seen)) == n) {
			t.Fatalf("%v of %v", h.Runs, seen)
		}
		for i := 1; i < len(h.Runs); i++ {
			if h.Runs[i][0] <= h.Runs[i-1][1]+1 {
				t.Fatalf("%v touch", h.Runs)
			}
		}
	})
}
