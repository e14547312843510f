package controllers

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tugboot/tugboot/internal/takeover"
)

// DHCPService is an existing DHCP service: one that is not ours and that is told where machines boot from.
type DHCPService interface {
	// Name is unique among the services of a Takeover.
	Name() string
	// ReadBack returns what the service tells machines now, and the mark beside it; zero values where it tells nothing of ours.
	ReadBack(ctx context.Context) (takeover.Endpoint, takeover.Mark, error)
	// Apply makes the service tell machines e and returns what it says afterwards, read back from the service itself. It
	// must refuse, and change nothing, when the mark that stands there is above m.
	Apply(ctx context.Context, e takeover.Endpoint, m takeover.Mark) (takeover.Endpoint, takeover.Mark, error)
}

// serviceTimeout bounds what one service may take to be read or written: a pair of Keas joins anew, one after the other.
const serviceTimeout = 2 * time.Minute

// readServices asks all services at once what they say.
func readServices(ctx context.Context, services []DHCPService) []takeover.Service {
	ctx, cancel := context.WithTimeout(ctx, serviceTimeout)
	defer cancel()
	seen := make([]takeover.Service, len(services))
	var all sync.WaitGroup
	for i, service := range services {
		all.Go(func() {
			endpoint, mark, err := service.ReadBack(ctx)
			seen[i] = takeover.Service{Name: service.Name(), Says: endpoint, Mark: mark}
			if err != nil {
				seen[i] = takeover.Service{Name: service.Name(), Unreadable: strconv.Quote(err.Error())}
			}
		})
	}
	all.Wait()
	slices.SortFunc(seen, func(a, b takeover.Service) int { return cmp.Compare(a.Name, b.Name) })
	return seen
}

// applyServices writes the services that the step names, all at once, and returns what went wrong with each.
func applyServices(ctx context.Context, services []DHCPService, step takeover.Step) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, serviceTimeout)
	defer cancel()
	var mu sync.Mutex
	failed := map[string]error{}
	var all sync.WaitGroup
	for _, service := range services {
		if !slices.Contains(step.Write, service.Name()) {
			continue
		}
		all.Go(func() {
			if _, _, err := service.Apply(ctx, step.Advertise, step.Mark); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[service.Name()] = err
			}
		})
	}
	all.Wait()
	return failed
}
