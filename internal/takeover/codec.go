package takeover

import (
	"strconv"
	"strings"
	"time"
)

// The keys of a baton's ConfigMap. All times are RFC 3339 in UTC.
const (
	keyCluster      = "cluster"
	keyEpoch        = "epoch"
	keyBorn         = "born"
	keyAdvertised   = "advertised"
	keyPrevious     = "previous"
	keyLatch        = "latch"
	keySince        = "since"
	keyWithheld     = "withheld"
	keyIdentity     = keyLatch + ".identity"
	keyLatchedAt    = keyLatch + ".at"
	keyHandover     = "handover"
	keyReservations = "reservations"
	keyOmitted      = "reservations-omitted"
	keyAddress      = ".address"
	keyTFTPPort     = ".tftp-port"
	keyHTTPPort     = ".http-port"
	keyScriptPath   = ".script-path"
	keyBootFiles    = ".boot-files"
)

// Data returns the data of the ConfigMap, for people and for ParseBaton.
func (b Baton) Data() map[string]string {
	data := map[string]string{
		keyCluster:  b.Cluster,
		keyEpoch:    strconv.FormatInt(b.Fence.Epoch, 10),
		keyBorn:     stamp(time.Unix(b.Fence.Born, 0)),
		keyWithheld: strconv.FormatBool(b.Withheld),
	}
	b.Advertised.put(data, keyAdvertised)
	b.Previous.put(data, keyPrevious)
	if !b.Advertised.IsZero() || !b.Since.IsZero() {
		data[keySince] = stamp(b.Since)
	}
	if b.Latch.Set() {
		b.Latch.Endpoint.put(data, keyLatch)
		data[keyIdentity], data[keyLatchedAt] = b.Latch.Identity, stamp(b.Latch.At)
	}
	if b.Handover != "" {
		data[keyHandover] = b.Handover
	}
	list, omitted := listed(b.Reservations)
	data[keyOmitted] = strconv.FormatBool(omitted || b.ReservationsOmitted)
	var lines strings.Builder
	for _, p := range list {
		lines.WriteString(string(p) + "\n")
	}
	data[keyReservations] = lines.String()
	return data
}

func (e Endpoint) put(data map[string]string, group string) {
	if e.IsZero() {
		return
	}
	data[group+keyAddress] = e.Addr.String()
	data[group+keyTFTPPort] = strconv.Itoa(int(e.TFTPPort))
	data[group+keyHTTPPort] = strconv.Itoa(int(e.HTTPPort))
	data[group+keyScriptPath] = e.ScriptPath
	data[group+keyBootFiles] = e.BootFiles
}

func stamp(t time.Time) string { return toTheSecond(t).Format(time.RFC3339) }
