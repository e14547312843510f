package mmsg

import "testing"

// TestDropsAreToldOnce, whichever reader hears of them first.
func TestDropsAreToldOnce(t *testing.T) {
	var d Drops
	for _, step := range []struct{ total, news uint32 }{{0, 0}, {5, 5}, {5, 0}, {3, 0}, {0, 0}, {1 << 31, 1<<31 - 5}, {1<<32 - 1, 1<<31 - 1}, {2, 3}} {
		if got := d.News(step.total); got != step.news {
			t.Errorf("at %d: %d, want %d", step.total, got, step.news)
		}
	}
}
