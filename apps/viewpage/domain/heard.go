package domain

import "slices"

// Heard is which of the numbers from 1 on have been heard, in any order and however often.
type Heard struct {
	Runs [][2]int64 `json:"runs"` // from, to; ascending, never touching
}

// Add says whether the number is new.
func (h *Heard) Add(n int64) bool {
	i, _ := slices.BinarySearchFunc(h.Runs, n, func(run [2]int64, n int64) int {
		switch {
		case run[1] < n:
			return -1
		case run[0] > n:
			return 1
		}
		return 0
	})
	if i < len(h.Runs) && h.Runs[i][0] <= n {
		return false
	}
	before := i > 0 && h.Runs[i-1][1] == n-1
	behind := i < len(h.Runs) && h.Runs[i][0] == n+1
	switch {
	case before && behind:
		h.Runs[i-1][1] = h.Runs[i][1]
		h.Runs = slices.Delete(h.Runs, i, i+1)
	case before:
		h.Runs[i-1][1] = n
	case behind:
		h.Runs[i][0] = n
	default:
		h.Runs = slices.Insert(h.Runs, i, [2]int64{n, n})
	}
	return true
}

// Count is how many different numbers were heard.
func (h *Heard) Count() (n int64) {
	for _, run := range h.Runs {
		n += run[1] - run[0] + 1
	}
	return n
}

// All says whether every number up to n was heard.
func (h *Heard) All(n int64) bool {
	return n == 0 || len(h.Runs) > 0 && h.Runs[0][0] == 1 && h.Runs[0][1] >= n
}
