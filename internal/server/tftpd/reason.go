package tftpd

import "github.com/tugboot/tugboot/internal/boot"

// The reasons in which a request ends besides those of package tftp and those of the refusals of the Source.
const (
	// ReasonSuperseded: the client began another transfer from the same port.
	ReasonSuperseded boot.Reason = "Superseded"
	// ReasonEvicted: the client had not answered yet, and the place was needed.
	ReasonEvicted boot.Reason = "Evicted"
	// ReasonTooManySessions and ReasonTooManyFromSource: every place is taken by a transfer that its client acknowledges.
	ReasonTooManySessions   boot.Reason = "TooManySessions"
	ReasonTooManyFromSource boot.Reason = "TooManyFromSource"
	// ReasonStopping: the server is about to stop and begins nothing new.
	ReasonStopping boot.Reason = "Stopping"
	// ReasonStopped: the transfer was still running when the time to drain was over.
	ReasonStopped boot.Reason = "Stopped"
	// ReasonSendFailed: the kernel refused to send to a client that has not answered yet.
	ReasonSendFailed boot.Reason = "SendFailed"
	// ReasonSourceFailed: the Source failed without giving a reason.
	ReasonSourceFailed boot.Reason = "SourceFailed"
	// ReasonOnlyByHTTP: the file is a kernel or an initrd, too large for TFTP.
	ReasonOnlyByHTTP boot.Reason = "OnlyByHTTP"
	// ReasonPanicked: a fault of this program, which ended this one request.
	ReasonPanicked boot.Reason = "Panicked"
)

// The reasons for which a packet is ignored besides those of package tftp.
const (
	// ReasonUnknownTID: no transfer with that address and port; it is answered with ERROR 5.
	ReasonUnknownTID boot.Reason = "UnknownTID"
	// ReasonBroadcast: sent to a broadcast or multicast address (RFC 1123 section 4.2.3.5).
	ReasonBroadcast boot.Reason = "Broadcast"
	// ReasonBadSource: sent from port 0 or from an address that cannot be answered.
	ReasonBadSource boot.Reason = "BadSource"
	// ReasonStrayError: an ERROR that belongs to no transfer; an ERROR is never answered.
	ReasonStrayError boot.Reason = "StrayError"
)
