package chaos

import (
	"reflect"
	"testing"
	"time"
)

func TestTheSameSeedGivesTheSameSchedule(t *testing.T) {
	for seed := range uint64(50) {
		plan := schedule(seed, 3*time.Minute)
		if !reflect.DeepEqual(plan, schedule(seed, 3*time.Minute)) {
			t.Fatalf("seed %d gave two schedules", seed)
		}
		if reflect.DeepEqual(plan, schedule(seed+1, 3*time.Minute)) {
			t.Errorf("seeds %d and %d gave one schedule", seed, seed+1)
		}
	}
}

func TestAScheduleHitsEveryKindOfProcessAndNeverMoreThanTwoAtOnce(t *testing.T) {
	for seed := range uint64(200) {
		plan := schedule(seed, 3*time.Minute)
		hit := map[string]bool{}
		for i, f := range plan {
			hit[kindOf(f.Victim)] = true
			lasting := 0
			for _, before := range plan[:i] {
				if before.At+before.For > f.At {
					lasting++
					if process(before.Victim) == process(f.Victim) {
						t.Errorf("seed %d: %s while %s", seed, f, before)
					}
				}
			}
			if lasting > 1 {
				t.Errorf("seed %d: %d others last when this begins: %s", seed, lasting, f)
			}
		}
		if len(hit) != len(kinds) || len(plan) < 12 {
			t.Errorf("seed %d hits only %v in %d faults", seed, hit, len(plan))
		}
		pairs := map[string]bool{}
		for _, f := range schedule(seed, 10*time.Minute)[:36] {
			if pairs[f.How+f.Victim] {
				t.Errorf("seed %d repeats %s before all were hit", seed, f)
			}
			pairs[f.How+f.Victim] = true
		}
	}
}
