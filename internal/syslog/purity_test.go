package syslog

import (
	"testing"

	"github.com/tugboot/tugboot/internal/purity"
)

func TestPurity(t *testing.T) { purity.Check(t) }
