package dnsmasq

import (
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/rendertest"
)

// room is this renderer as the shared tests see it.
var room = rendertest.Files{Render: Render, Check: Check, Standing: Standing, Hosts: hosts}

func hosts(file render.File, w render.Wanted) (int, bool) {
	if file.Name != HostsName(w.Word) {
		return 0, false
	}
	return strings.Count(file.Text, "\n") - 2, true // the header has two lines
}

func site() render.Wanted { return rendertest.Site(rendertest.Word("lab", "192.168.2.2"), 0) }

func TestGoldens(t *testing.T) { room.Render.Goldens(t, nil) }

func TestRefusedWords(t *testing.T) { room.Render.Refuses(t, nil) }

func TestWhatIsRenderedPassesTheCheckAndStands(t *testing.T) { room.PassAndStand(t) }

func TestAnyTextIsHarmless(t *testing.T) { room.AnyTextIsHarmless(t) }

func FuzzTextIsHarmless(f *testing.F) { room.FuzzTextIsHarmless(f) }

func FuzzCheckAndStandingTakeAnyFile(f *testing.F) { room.FuzzAnyFile(f) }
