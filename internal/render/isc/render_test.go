package isc

import (
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/rendertest"
)

// room is this renderer as the shared tests see it.
var room = rendertest.Files{Render: Render, Check: Check, Standing: Standing, Hosts: hosts}

func hosts(file render.File, w render.Wanted) (int, bool) {
	return strings.Count(file.Text, "\n  host "), file.Name == LiveName(w.Word)
}

func site() render.Wanted { return rendertest.Site(rendertest.Word("lab", "192.168.2.2"), 0) }

func TestGoldens(t *testing.T) { room.Render.Goldens(t, nil) }

func TestRefusedWords(t *testing.T) { room.Render.Refuses(t, nil) }

func TestWhatIsRenderedPassesTheCheckAndStands(t *testing.T) { room.PassAndStand(t) }

func TestAnyTextIsHarmless(t *testing.T) { room.AnyTextIsHarmless(t) }

func FuzzTextIsHarmless(f *testing.F) { room.FuzzTextIsHarmless(f) }

func FuzzCheckAndStandingTakeAnyFile(f *testing.F) { room.FuzzAnyFile(f) }
