package tink

// The reasons of the problems that Convert reports. They are labels of a metric and reasons of Events.
const (
	ReasonInvalidMAC          = "InvalidMAC"
	ReasonInvalidAddress      = "InvalidAddress"
	ReasonInvalidNetmask      = "InvalidNetmask"
	ReasonInvalidGateway      = "InvalidGateway"
	ReasonInvalidFamily       = "InvalidFamily"
	ReasonIPv6NotServed       = "IPv6NotServed"
	ReasonInvalidHostname     = "InvalidHostname"
	ReasonInvalidDomainName   = "InvalidDomainName"
	ReasonInvalidLeaseTime    = "InvalidLeaseTime"
	ReasonInvalidNameServer   = "InvalidNameServer"
	ReasonInvalidTimeServer   = "InvalidTimeServer"
	ReasonInvalidRoute        = "InvalidRoute"
	ReasonInvalidVLAN         = "InvalidVLAN"
	ReasonInvalidArch         = "InvalidArch"
	ReasonInvalidBootFile     = "InvalidBootFile"
	ReasonInvalidIPXEBinary   = "InvalidIPXEBinary"
	ReasonInvalidIPXEURL      = "InvalidIPXEURL"
	ReasonInvalidIPXEContents = "InvalidIPXEContents"
	ReasonInvalidOSIE         = "InvalidOSIE"
	ReasonInvalidFacility     = "InvalidFacility"
	ReasonInvalidAgentID      = "InvalidAgentID"
	ReasonInvalidDHCPOption   = "InvalidDHCPOption"
)
