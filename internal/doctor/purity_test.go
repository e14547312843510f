package doctor

import (
	"testing"

	"github.com/tugboot/tugboot/internal/purity"
)

func TestPackageIsPure(t *testing.T) { purity.Check(t) }
