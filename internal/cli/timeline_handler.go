package cli

import (
	"encoding/json"
	"net/http"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
)

// timelinePath is where the operations listener shows a machine's timeline; the MAC follows it.
const timelinePath = "/timeline/"

// timelineHandler shows what the journal remembers of a machine, as a JSON array of journal.Entry.
func timelineHandler(j *journal.Journal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		mac, err := reservation.ParseMAC(r.URL.Path[len(timelinePath):])
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		entries := j.Timeline(mac)
		if entries == nil {
			http.Error(w, mac.String()+": not heard of since this process started", http.StatusNotFound)
			return
		}
		body, err := json.Marshal(entries)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// A client that went away while reading is its own affair.
		_, _ = w.Write(append(body, '\n'))
	})
}
