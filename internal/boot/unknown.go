package boot

import "github.com/tugboot/tugboot/internal/reservation"

// DecideUnknown says what a client without a reservation is told to boot by the stack at e, where such machines are
// booted at all: the same first stage as any other, and then the one script for machines that nobody knows. Its reasons
// are others, so that nobody takes such a boot for one of a machine that is being installed.
func DecideUnknown(c Client, e Endpoint) Decision {
	d := Decide(c, &reservation.Reservation{MAC: c.MAC, Settings: &reservation.Settings{Netboot: reservation.Netboot{Allow: true}}}, e)
	switch d.Reason {
	case ReasonScript, ReasonStockIPXEScript:
		d.Reason = ReasonAutoScript
	case ReasonFirmwareBinary, ReasonHTTPBinary, ReasonStockIPXEBinary:
		d.Reason = ReasonAutoBinary
	}
	return d
}
