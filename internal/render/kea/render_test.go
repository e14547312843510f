package kea

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/rendertest"
	"github.com/tugboot/tugboot/internal/reservation"
)

func site() render.Wanted { return rendertest.Site(rendertest.Word("lab", "192.168.2.2"), 0) }

func TestGoldens(t *testing.T) {
	rendertest.Renderer(Render).Goldens(t, func(t *testing.T, out render.Output) {
		if body := out.Whole[strings.Index(out.Whole, "\n{")+1:]; !json.Valid([]byte(body)) {
			t.Error("the whole file is no JSON")
		}
	})
}

func TestRefusedWords(t *testing.T) {
	rendertest.Renderer(Render).Refuses(t, map[string]func(*render.Wanted){
		"machine twice": func(w *render.Wanted) { w.Networks[1].Reservations[1].MAC = w.Networks[0].Reservations[0].MAC },
		"address twice": func(w *render.Wanted) { w.Networks[1].Reservations[1].Address = w.Networks[1].Reservations[0].Address },
		"address of another network": func(w *render.Wanted) {
			w.Networks[0].Reservations[0].Address = reservation.MustParsePrefix("10.8.0.1/24")
		},
	})
}

func TestOrderOfClasses(t *testing.T) {
	c, _, err := Make(site())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, class := range c.Classes {
		names = append(names, strings.TrimPrefix(class.Name, "tugboot-lab-"))
	}
	want := []string{
		"tugboot-lab", "lease-86400", "lease-4294967295", "tinkerbell", "http-bios", "http-uefi-x86-64", "http-uefi-arm64", "ipxe",
		"firmware-bios", "firmware-uefi-x86-64", "firmware-uefi-arm64",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if mark := c.Classes[0].UserContext; mark == nil || mark.Mark != rendertest.Word("lab", "192.168.2.2") {
		t.Errorf("the marker says %+v", mark)
	}
}
