package engine

import (
	"testing"
	"time"
)

// TestOrphaned holds when a server counts its client as dead.
func TestOrphaned(t *testing.T) {
	for name, c := range map[string]struct {
		parents []int // as they are seen, the first one when the client is greeted
		want    bool
	}{
		"the client lives":                   {parents: []int{7, 7, 7}},
		"the client died":                    {parents: []int{7, 7, 1}, want: true},
		"adopted by another process":         {parents: []int{7, 9}, want: true},
		"launched by a process that is gone": {parents: []int{1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			done, greeted, tick := make(chan struct{}), make(chan struct{}), make(chan time.Time)
			parents := c.parents
			parent := func() int {
				now := parents[0]
				if len(parents) > 1 {
					parents = parents[1:]
				}
				return now
			}
			got := make(chan bool)
			go func() { got <- orphaned(done, greeted, tick, parent) }()
			close(greeted)
			for range c.parents {
				select {
				case tick <- time.Time{}:
				case dead := <-got:
					if dead != c.want {
						t.Errorf("dead: %v", dead)
					}
					return
				}
			}
			close(done)
			if <-got {
				t.Error("it counts as dead")
			}
		})
	}
	done := make(chan struct{})
	close(done)
	if orphaned(done, make(chan struct{}), nil, func() int { return 7 }) {
		t.Error("a server that ended before it was greeted")
	}
}
