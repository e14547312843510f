package ipxe

import (
	"sync"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// maxScripts is how many scripts are remembered, of some two thousand bytes each.
const maxScripts = 2048

// scripts remembers the scripts that were made at one endpoint, so that a machine that asks again, by another protocol or
// after a lost answer, is not made its script again. A reservation that changed is another one, by its pointer.
type scripts struct {
	mu       sync.Mutex
	endpoint boot.Endpoint
	made     map[script]Content
}

type script struct {
	r    *reservation.Reservation
	name string
}

// get returns what was made, or else what fresh makes.
func (s *scripts) get(r *reservation.Reservation, e boot.Endpoint, name string, fresh func() (Content, error)) (Content, error) {
	of := script{r, name}
	s.mu.Lock()
	content, known := s.made[of]
	known = known && s.endpoint == e
	s.mu.Unlock()
	if known {
		return content, nil
	}
	content, err := fresh()
	if err != nil {
		return content, err // whose reasons are reported each time
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil || s.endpoint != e || len(s.made) >= maxScripts {
		s.endpoint, s.made = e, map[script]Content{}
	}
	s.made[of] = content
	return content, nil
}
