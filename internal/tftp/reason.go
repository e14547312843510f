package tftp

import "github.com/tugboot/tugboot/internal/boot"

// The reasons in which a transfer ends.
const (
	// ReasonServed: the client acknowledged the last block.
	ReasonServed boot.Reason = "Served"
	// ReasonProbed: the client answered the OACK with an ERROR, as firmware does that only wanted to know the size.
	ReasonProbed boot.Reason = "Probed"
	// ReasonNoAck: the client never acknowledged anything.
	ReasonNoAck boot.Reason = "NoAck"
	// ReasonTimedOut: the client fell silent in the middle of the file.
	ReasonTimedOut boot.Reason = "TimedOut"
	// ReasonUnconfirmed: the last block was sent and never acknowledged; the client may well have the whole file.
	ReasonUnconfirmed boot.Reason = "Unconfirmed"
	// ReasonClientAborted: the client sent an ERROR.
	ReasonClientAborted boot.Reason = "ClientAborted"
)

// The reasons for which a request is refused.
const (
	// ReasonMalformed: the bytes are not a TFTP packet.
	ReasonMalformed boot.Reason = "Malformed"
	// ReasonWriteRefused: a WRQ; this server is read-only.
	ReasonWriteRefused boot.Reason = "WriteRefused"
	// ReasonModeRefused: a transfer mode other than octet and netascii.
	ReasonModeRefused boot.Reason = "ModeRefused"
	// ReasonNameRefused: an empty file name, one over MaxName bytes, or one with control characters.
	ReasonNameRefused boot.Reason = "NameRefused"
	// ReasonOptionRefused: an option whose value is not a number or below its range.
	ReasonOptionRefused boot.Reason = "OptionRefused"
)

// The reasons for which a packet changes nothing in a transfer.
const (
	// ReasonDuplicateACK: the block was acknowledged before.
	ReasonDuplicateACK boot.Reason = "DuplicateACK"
	// ReasonStrayACK: an acknowledgement of a block that is not in flight.
	ReasonStrayACK boot.Reason = "StrayACK"
	// ReasonDuplicateRequest: the request that began this transfer, once more.
	ReasonDuplicateRequest boot.Reason = "DuplicateRequest"
	// ReasonUnexpectedPacket: a DATA or OACK, which no reader sends.
	ReasonUnexpectedPacket boot.Reason = "UnexpectedPacket"
	// ReasonOver: the transfer is over.
	ReasonOver boot.Reason = "Over"
)
